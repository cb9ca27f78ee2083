"""The WeChat platform as far as login needs it: who is behind a login code, and which phone behind a phone code.

Endpoints, fields and error numbers are those of the platform's server API: /sns/jscode2session,
/cgi-bin/stable_token and /wxa/business/getuserphonenumber. The session key that comes with a login is not kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from chassis.errors import Unavailable
from chassis.trust import authorities
from services.member.miniprogram.errors import (
    MiniProgramBlocked,
    MiniProgramBusy,
    MiniProgramCodeInvalid,
    MiniProgramRefused,
)

log = structlog.get_logger()

CALL_SECONDS = 3.0
# A token is renewed this long before it ends.
TOKEN_MARGIN_SECONDS = 300.0

_CODE_INVALID = {40029, 40163}  # not a code of ours or expired; used before
_BUSY = {45009, 45011}  # the day's or the minute's quota
_BLOCKED = {40226}
_TOKEN_INVALID = {40001, 40014, 42001}
_PASSING = {-1}


@dataclass(frozen=True, slots=True)
class WeChatUser:
    """Somebody at the platform: `openid` is theirs in one app, `union_id` in all of a company ("" if unknown)."""

    openid: str
    union_id: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """A mini-program's."""

    app_id: str
    app_secret: str


class WeChat:
    """Calls the platform. Nothing is retried by itself: a code is good once, and used up by a lost answer, too."""

    def __init__(self, base_url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`base_url` has no path: the platform's own address, or a simulator's."""
        self._http = httpx.AsyncClient(base_url=base_url, timeout=CALL_SECONDS, verify=authorities(trust_env=True))
        self._clock = clock
        self._tokens: dict[Credentials, tuple[float, str]] = {}
        self._asking: dict[Credentials, asyncio.Task[str]] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def user_behind(self, credentials: Credentials, login_code: str) -> WeChatUser:
        """Whose login this is.

        Raises MiniProgramCodeInvalid, MiniProgramBusy, MiniProgramBlocked, MiniProgramRefused, Unavailable.
        """
        answer = await self._ask(
            "GET",
            "/sns/jscode2session",
            params={
                "appid": credentials.app_id,
                "secret": credentials.app_secret,
                "js_code": login_code,
                "grant_type": "authorization_code",
            },
        )
        _check(answer, credentials)
        openid = answer.get("openid")
        if not isinstance(openid, str) or not openid:
            raise Unavailable
        return WeChatUser(openid, str(answer.get("unionid") or ""))

    async def phone_behind(self, credentials: Credentials, phone_code: str) -> str:
        """The phone number that its owner agreed to tell, as +8613800000001. Raises as user_behind."""
        for is_last in (False, True):
            token = await self._token(credentials)
            answer = await self._ask(
                "POST",
                "/wxa/business/getuserphonenumber",
                params={"access_token": token},
                json={"code": phone_code},
            )
            if answer.get("errcode") in _TOKEN_INVALID and not is_last:
                self._tokens.pop(credentials, None)  # replaced before its time; the code was not looked at
                continue
            break
        _check(answer, credentials)
        info = answer.get("phone_info")
        country, number = (info.get("countryCode"), info.get("purePhoneNumber")) if isinstance(info, dict) else ("", "")
        phone = f"+{country}{number}"
        if not phone[1:].isascii() or not phone[1:].isdigit() or not 8 <= len(phone) <= 16:
            raise Unavailable
        return phone

    async def _token(self, credentials: Credentials) -> str:
        """The app's access token; callers that need it at once wait for one answer."""
        known = self._tokens.get(credentials)
        if known is not None and known[0] > self._clock():
            return known[1]
        task = self._asking.get(credentials)
        if task is None:
            task = self._asking[credentials] = asyncio.create_task(self._fetch_token(credentials))
            task.add_done_callback(lambda _: self._asking.pop(credentials, None))
        return await asyncio.shield(task)

    async def _fetch_token(self, credentials: Credentials) -> str:
        # The stable kind: asking for it again does not end the one that another process has.
        answer = await self._ask(
            "POST",
            "/cgi-bin/stable_token",
            json={
                "grant_type": "client_credential",
                "appid": credentials.app_id,
                "secret": credentials.app_secret,
            },
        )
        _check(answer, credentials)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int):
            raise Unavailable
        self._tokens[credentials] = (self._clock() + max(seconds - TOKEN_MARGIN_SECONDS, 0.0), token)
        return token

    async def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            response = await self._http.request(method, path, **arguments)
            # The platform answers 200 to everything; anything else is something in between.
            answer = response.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            # Neither address nor body: secret and code stand in them.
            log.warning("wechat_unreachable", path=path, error=type(error).__name__)
            raise Unavailable from None
        if not isinstance(answer, dict):
            raise Unavailable
        return answer


def _check(answer: dict[str, Any], credentials: Credentials) -> None:
    number = answer.get("errcode") or 0
    if number == 0:
        return
    log.warning("wechat_refused", app_id=credentials.app_id, errcode=number)
    if number in _CODE_INVALID:
        raise MiniProgramCodeInvalid
    if number in _BUSY:
        raise MiniProgramBusy
    if number in _BLOCKED:
        raise MiniProgramBlocked
    if number in _PASSING:
        raise Unavailable
    raise MiniProgramRefused(errcode=number)
