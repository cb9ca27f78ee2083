"""The published vectors and the pages' own code agree with the gateway's verifier, and with openssl."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chassis import errors as chassis_errors
from chassis.errors import AppError
from chassis.identity import MEMBER_ACCESS, CallerKind, TokenBook
from gateway import errors as gateway_errors
from gateway.auth.callers import NONCE_SECONDS, WINDOW_SECONDS, Callers, SignedParts
from gateway.auth.credentials import Credentials
from gateway.errors import SignatureExpired, SignatureInvalid, status_of
from gateway.http import MAX_HEADER_BYTES
from gateway.limits import CALLS_PER_MINUTE
from gateway.reception import BATCH_SECONDS, BODY_BYTES, CALL_SECONDS, MOST_SECONDS
from huitong.org.v1 import org_pb2
from services.org.webhooks import convert as webhook_convert
from services.org.webhooks import rules as webhook_rules
from tests.gateway_backend import GROUP, KEY
from tests.pages import ROOT, openssl_programs

PAGE = (ROOT / "docs/integrators.md").read_text()
PUBLISHED = json.loads((ROOT / "docs/signing-vectors.json").read_text())
VECTORS: list[dict[str, Any]] = PUBLISHED["requests"]
WEBHOOKS: list[dict[str, Any]] = PUBLISHED["webhooks"]
each_webhook = pytest.mark.parametrize("vector", WEBHOOKS, ids=lambda vector: vector["name"])
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])


def verifier(vector: dict[str, Any], *, late_seconds: int = 0) -> Callers:
    async def fetch(key_id: str) -> org_pb2.GetCredentialSecretResponse:
        assert key_id == vector["key_id"]
        return org_pb2.GetCredentialSecretResponse(
            kind=org_pb2.CREDENTIAL_KIND_SYSTEM, group_id=f"grp_{GROUP.hex}", subject_id=key_id,
            secrets=["another", vector["secret"]],
        )  # fmt: skip

    members = TokenBook(KEY, issuer=MEMBER_ACCESS)
    return Callers(Credentials(fetch), members, clock=lambda: vector["timestamp"] + late_seconds)


def parts_of(vector: dict[str, Any]) -> SignedParts:
    return SignedParts(vector["method"], vector["path"], vector["query"], vector["body"].encode())


@each_vector
async def test_the_gateway_takes_a_vector_as_it_stands_and_not_otherwise(vector: dict[str, Any]) -> None:
    header, parts = vector["authorization"], parts_of(vector)
    known = await verifier(vector).identify(header, parts, "")
    assert (known.caller.kind, known.nonce) == (CallerKind.SYSTEM, f"{vector['key_id']}:{vector['nonce']}")
    with pytest.raises(SignatureInvalid):
        await verifier(vector).identify(header, SignedParts(parts.method, parts.path, parts.query, b"other"), "")
    with pytest.raises(SignatureExpired):
        await verifier(vector, late_seconds=WINDOW_SECONDS + 1).identify(header, parts, "")


@each_vector
def test_openssl_gets_the_vector_s_signature(vector: dict[str, Any], tmp_path: Path) -> None:
    for program in openssl_programs(tmp_path):
        for text, options, expected in (
            (vector["body"], [], vector["body_sha256"]),
            (vector["text"], ["-hmac", vector["secret"]], vector["signature"]),
        ):
            command = [program, "dgst", "-sha256", *options, "-r"]
            answer = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
            assert answer.stdout.decode().split()[0] == expected


@each_vector
def test_the_page_s_python_signs_as_the_vector_says(vector: dict[str, Any]) -> None:
    code = re.findall(r"```python\n(import hashlib, hmac, secrets.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code[0], names)
    made = names["authorization"](
        vector["key_id"], vector["secret"], vector["method"].lower(), vector["path"], vector["query"],
        vector["body"].encode(), vector["timestamp"], vector["nonce"],
    )  # fmt: skip
    assert made == vector["authorization"]


# Each reads what is signed from its arguments, six in base64 for each request, and prints a header for each.
JAVA = """{imports}
import java.util.Base64;

class Signing {{
{methods}
    static String text(String argument) {{
        return new String(Base64.getDecoder().decode(argument), UTF_8);
    }}

    public static void main(String[] all) throws Exception {{
        for (int i = 0; i < all.length; i += 6)
            System.out.println(authorization(text(all[i]), text(all[i + 1]), text(all[i + 2]), text(all[i + 3]),
                text(all[i + 4]), Base64.getDecoder().decode(all[i + 5])));
    }}
}}
"""
NODE = """{code}
const all = process.argv.slice(2).map((argument) => Buffer.from(argument, "base64"));
for (let i = 0; i < all.length; i += 6)
  console.log(authorization(...all.slice(i, i + 5).map(String), all[i + 5]));
"""


def _java(code: str, folder: Path) -> list[str]:
    if not (shutil.which("java") and shutil.which("javac")):
        pytest.skip("this machine has no JDK")
    imports = [line for line in code.splitlines() if line.startswith("import ")]
    methods = [line for line in code.splitlines() if not line.startswith("import ")]
    file = folder / "Signing.java"
    file.write_text(JAVA.format(imports="\n".join(imports), methods="\n".join(methods)))
    return ["java", str(file)]


def _node(code: str, folder: Path) -> list[str]:
    if not shutil.which("node"):
        pytest.skip("this machine has no Node")
    file = folder / "signing.js"
    file.write_text(NODE.format(code=code))
    return ["node", str(file)]


@pytest.mark.parametrize(("language", "program"), [("java", _java), ("js", _node)])
async def test_the_gateway_takes_what_the_page_s_other_languages_sign(
    language: str, program: Callable[[str, Path], list[str]], tmp_path: Path
) -> None:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    names = ("key_id", "secret", "method", "path", "query", "body")
    told = [(vector | {"method": vector["method"].lower()})[name] for vector in VECTORS for name in names]
    arguments = [base64.b64encode(text.encode()).decode() for text in told]
    ran = subprocess.run([*program(code, tmp_path), *arguments], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    headers = ran.stdout.splitlines()
    nonces = set()
    for vector, header in zip(VECTORS, headers, strict=True):
        known = await verifier(vector | {"timestamp": time.time()}).identify(header, parts_of(vector), "")
        assert known.caller.kind is CallerKind.SYSTEM
        nonces.add(known.nonce)
    assert len(nonces) == len(VECTORS)


@each_webhook
def test_the_page_s_python_takes_a_webhook_s_vector_and_nothing_else(vector: dict[str, Any]) -> None:
    code = re.findall(r"```python\n(import base64, hashlib.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code[0], names)
    is_ours, body, sent = names["is_ours"], vector["body"].encode(), int(vector["webhook-timestamp"])
    for secret in vector["secrets"]:
        assert is_ours(secret, vector, body, sent + 299)
        assert not is_ours(secret, vector, body, sent + 301) and not is_ours(secret, vector, body, sent - 301)
        assert not is_ours(secret, vector, body + b" ", sent)
        assert not is_ours(secret, vector | {"webhook-id": "evt_another"}, body, sent)
        assert not is_ours(secret, vector | {"webhook-timestamp": str(sent + 1)}, body, sent)
    assert not is_ours("whsec_AAAA", vector, body, sent)


@each_webhook
def test_webhooks_are_signed_as_their_vectors_say(vector: dict[str, Any]) -> None:
    signatures = [
        webhook_rules.signature_of(
            secret,
            webhook_id=vector["webhook-id"],
            timestamp=int(vector["webhook-timestamp"]),
            body=vector["body"].encode(),
        )
        for secret in vector["secrets"]
    ]
    assert " ".join(signatures) == vector["webhook-signature"]


def test_the_page_lists_every_event_with_the_fields_that_are_sent() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert rows.pop(webhook_rules.TEST_TYPE) == "`webhook_endpoint_id`"
    listed = {name: re.findall(r"`([^`]+)`", fields) for name, fields in rows.items()}
    assert listed == {name: webhook_convert.names_of(name) for name in webhook_convert.PUBLISHED}
    for words in (f"{webhook_rules.KEEP_DAYS} days", f"for {webhook_rules.TRY_DAYS} days", "Four tries"):
        assert words in PAGE
    assert webhook_rules.CONCURRENT_TRIES == 4 and webhook_rules.FAILING_DAYS == 5


def test_the_vector_in_the_page_is_the_first_of_the_file() -> None:
    assert f"```\n{VECTORS[0]['text']}\n\nsignature {VECTORS[0]['signature']}\n```" in PAGE
    assert all(str(VECTORS[0][name]) in PAGE for name in ("key_id", "secret", "body", "timestamp", "nonce"))


def test_every_refusal_before_the_business_is_in_the_page_s_table_with_its_status() -> None:
    rows = re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", PAGE, re.MULTILINE)
    listed = {reason: int(status) for status, reason in rows}
    known: dict[str, int] = {}
    for module in (chassis_errors, gateway_errors):
        for one in vars(module).values():
            if isinstance(one, type) and issubclass(one, AppError) and one.__module__ == module.__name__:
                known[one.reason] = status_of(one.__new__(one))
    # The first is the base's, the others are people's.
    for reason in ("FAILED", "SESSION_ENDED", "PROOF_NEEDED", "PROOF_INVALID", "PROOF_USED"):
        known.pop(reason)
    assert listed == known


def test_the_page_s_numbers_are_those_in_force() -> None:
    assert (WINDOW_SECONDS, NONCE_SECONDS, BODY_BYTES, MAX_HEADER_BYTES) == (300, 600, 1024 * 1024, 32 * 1024)
    for kind in ("TERMINAL", "VENDOR", "MERCHANT", "PARTNER", "SYSTEM"):
        assert re.search(rf"^\|.*\| `{kind}` \|.*\| {CALLS_PER_MINUTE[CallerKind[kind]]:,} \|$", PAGE, re.MULTILINE), (
            kind
        )
    assert (CALL_SECONDS, BATCH_SECONDS, MOST_SECONDS) == (5, 60, 60)
    assert "given 5 seconds (a batch of lines 60, a file of structure 30)" in PAGE and "at most 60." in PAGE
    for words in ("good for 300 seconds", "kept for 600 seconds", "over 1 MiB", "over 32 KiB", "6,000 calls a minute"):
        assert words in PAGE
    assert "6,000 calls a minute for a terminal and for a merchant, 3,000 for a vendor and for a partner" in PAGE
