"""Pure: the ticket that carries somebody from the first step of a login to the second."""

from __future__ import annotations

import base64
import binascii

import orjson

from chassis.crypto import DecryptionFailed, Vault
from services.member.miniprogram.wechat import WeChatUser

UNION_ID, OPENID = "wechat_union_id", "wechat_openid"  # kinds of identity
TICKET_PURPOSE, IDENTITY_PURPOSE = "member.link-ticket", "member.wechat"
TICKET_SECONDS = 600


def make_ticket(vault: Vault, app_id: str, user: WeChatUser, *, now_s: float) -> str:
    """A ticket that says who logged in and until when it is good; sealed, for nobody else may write or read it."""
    content = orjson.dumps([user.openid, user.union_id, int(now_s) + TICKET_SECONDS]).decode()
    return base64.urlsafe_b64encode(vault.encrypt(TICKET_PURPOSE, content, bound_to=app_id)).decode()


def read_ticket(vault: Vault, app_id: str, ticket: str, *, now_s: float) -> WeChatUser | None:
    """Who logged in; None when the ticket is not one of ours for this app, or is over its time."""
    try:
        sealed = base64.b64decode(ticket, altchars=b"-_", validate=True)
        openid, union_id, expire_s = orjson.loads(vault.decrypt(TICKET_PURPOSE, sealed, bound_to=app_id))
    except (DecryptionFailed, binascii.Error, ValueError):
        return None
    return WeChatUser(openid, union_id) if now_s < expire_s else None
