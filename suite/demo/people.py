"""The demo's second person, who approves what the group's system drafts: keys are no persons, and approve nothing."""

from __future__ import annotations

import base64
import secrets
import time
from uuid import uuid4

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from suite.demo import published
from suite.demo.doors import NOBODY, DoorRefused, Doors, Session
from suite.demo.progress import Memory

# A session is idle for at most 30 minutes.
SESSION_SECONDS = 25 * 60


async def invite_approver(doors: Doors, memory: Memory) -> None:
    """Invite the second person, enrol as them, and remember password and authenticator."""
    invitation = await doors.post(
        memory.system_key,
        "/v1/operators",
        {
            "request_id": "demo-approver",
            "login": "approver",
            "name": "Second person 审批人",
            "grants": [{"role": "ROLE_GROUP_ADMIN"}],
            "reason": "the demo's second person",
        },
    )
    try:
        begun = await doors.post(NOBODY, "/v1/operator-enrolment:begin", {"invitation": invitation["invitation"]})
    except DoorRefused:  # enrolled by a run that broke off before it could remember
        path = f"/v1/operators/{invitation['operator']['operator_id']}:reset"
        invitation = await doors.post(memory.system_key, path, {"request_id": uuid4().hex})
        begun = await doors.post(NOBODY, "/v1/operator-enrolment:begin", {"invitation": invitation["invitation"]})
    password = secrets.token_urlsafe(18)
    done = {"invitation": invitation["invitation"], "password": password, "totp_code": _code(begun["totp_secret"])}
    await doors.post(NOBODY, "/v1/operator-enrolment:complete", done)
    memory.approver = {"login": "approver", "password": password, "totp_secret": begun["totp_secret"]}
    # A code works once: that of the next half a minute is good already.
    await _log_in(doors, memory, step=1)


async def approver(doors: Doors, memory: Memory) -> Session:
    """The second person, logged in; `memory` may have a new session to be saved."""
    if time.time() - memory.approver_login_time > SESSION_SECONDS:
        await _log_in(doors, memory, step=0)
    return Session(memory.approver["session_token"])


async def _log_in(doors: Doors, memory: Memory, *, step: int) -> None:
    known = memory.approver
    login = {"group_code": published.GROUP_CODE, "login": known["login"], "password": known["password"]}
    code = _code(known["totp_secret"], step=step)
    answer = await doors.post(NOBODY, "/v1/operator-sessions", {**login, "totp_code": code})
    memory.approver = known | {"session_token": answer["session_token"]}
    memory.approver_login_time = time.time()


def _code(secret: str, *, step: int = 0) -> str:
    # SHA-1 is what every authenticator app does, and as HMAC it is sound.
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303
    return totp.generate(int(time.time()) + 30 * step).decode()
