"""How WeChat Pay signs and seals its notices (APIv3): pure functions.

Signed is the timestamp, the nonce and the body, each followed by a newline, by SHA256-RSA (PKCS #1 v1.5) with a key of
the platform. What matters in the body is sealed by AES-256-GCM with the merchant number's APIv3 key: a notice for
another merchant is signed by the same platform, but does not open.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from services.points.payment_notices.errors import (
    NoticeInvalid,
    NoticeKeyInvalid,
    NoticeKindUnknown,
    NoticeSignatureInvalid,
)

PAID, REFUNDED = "MALL_TRANSACTION.SUCCESS", "MALL_REFUND.SUCCESS"
TOLERANCE_SECONDS = 300
MIN_KEY_BITS = 2048
_Name = Field(min_length=1, max_length=64)


class Notice(BaseModel):
    """What both kinds say. `shop_number` is what the mall calls the store, `openid` the payer's in `appid`."""

    mchid: str = _Name
    shop_number: str = _Name
    appid: str = _Name
    openid: str = Field(min_length=1, max_length=128)
    transaction_id: str = _Name


class Payment(Notice):
    """A payment, in fen."""

    time_end: AwareDatetime
    amount: int = Field(ge=0)


class Refund(Notice):
    """What was given back of a payment, in fen."""

    refund_id: str = _Name
    refund_time: AwareDatetime
    refund_amount: int = Field(gt=0)


class _Sealed(BaseModel):
    algorithm: Literal["AEAD_AES_256_GCM"]
    ciphertext: str
    nonce: str
    associated_data: str = ""


class _Envelope(BaseModel):
    event_type: str = _Name
    resource: _Sealed


_CONTENTS: Mapping[str, type[Payment] | type[Refund]] = {PAID: Payment, REFUNDED: Refund}


def read_key(serial: str, pem: str) -> RSAPublicKey:
    """The key in `pem`, by itself or in a certificate. Raises NoticeKeyInvalid."""
    key: object
    try:
        if "CERTIFICATE" in pem:
            key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        else:
            key = load_pem_public_key(pem.encode())
    except ValueError:
        raise NoticeKeyInvalid(serial=serial) from None
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
        raise NoticeKeyInvalid(serial=serial)
    return key


def check_signature(
    keys: Mapping[str, str], *, serial: str, timestamp: str, nonce: str, body: bytes, signature: str, now_s: float
) -> None:
    """Check a notice against the platform's keys (PEM by serial). Raises NoticeSignatureInvalid."""
    pem = keys.get(serial)
    is_fresh = timestamp.isascii() and timestamp.isdigit() and abs(int(timestamp) - now_s) <= TOLERANCE_SECONDS
    if pem is None or not is_fresh:
        raise NoticeSignatureInvalid
    signed = b"%s\n%s\n%s\n" % (timestamp.encode(), nonce.encode(), body)
    try:
        raw = base64.b64decode(signature, validate=True)
        read_key(serial, pem).verify(raw, signed, PKCS1v15(), SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        raise NoticeSignatureInvalid from None


def open_notice(body: bytes, api_v3_key: str) -> Payment | Refund:
    """What a notice says. Raises NoticeInvalid, NoticeKindUnknown."""
    try:
        envelope = _Envelope.model_validate_json(body)
    except ValidationError:
        raise NoticeInvalid(what="body") from None
    content = _CONTENTS.get(envelope.event_type)
    if content is None:
        raise NoticeKindUnknown(kind=envelope.event_type)
    sealed = envelope.resource
    try:
        plain = AESGCM(api_v3_key.encode()).decrypt(
            sealed.nonce.encode(), base64.b64decode(sealed.ciphertext, validate=True), sealed.associated_data.encode()
        )
    except (binascii.Error, ValueError, InvalidTag):
        raise NoticeInvalid(what="resource.ciphertext") from None
    try:
        return content.model_validate_json(plain)
    except ValidationError as error:
        raise NoticeInvalid(what=".".join(str(each) for each in error.errors()[0]["loc"]) or "resource") from None
