"""The WeChat platform's part in a mini-program login, on this machine: `python -m suite.simulators.wechat --port 9090`.

It answers /sns/jscode2session, /cgi-bin/stable_token and /wxa/business/getuserphonenumber as the platform does: status
200 and an `errcode` whatever happens, codes that are good once and for five minutes, tokens that end. What a phone does
there, pressing buttons, is done here by /simulator/apps, /simulator/people, /simulator/login-codes and
/simulator/phone-codes; /simulator/session-keys tells the keys of sessions that it gave, which nobody may write down.
Everything is forgotten when it stops.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

CODE_SECONDS, TOKEN_SECONDS = 300.0, 7200.0

_SYSTEM_BUSY = {"errcode": -1, "errmsg": "system error"}
_INVALID_CREDENTIAL = {"errcode": 40001, "errmsg": "invalid credential, access_token is invalid or not latest"}
_INVALID_APP_ID = {"errcode": 40013, "errmsg": "invalid appid"}
_INVALID_CODE = {"errcode": 40029, "errmsg": "invalid code"}
_INVALID_SECRET = {"errcode": 40125, "errmsg": "invalid appsecret"}
_CODE_USED = {"errcode": 40163, "errmsg": "code been used"}
_BLOCKED = {"errcode": 40226, "errmsg": "code blocked"}
_TOKEN_ENDED = {"errcode": 42001, "errmsg": "access_token expired"}
_QUOTA = {"errcode": 45011, "errmsg": "api minute-quota reach limit"}


@dataclass
class Person:
    """Somebody with WeChat."""

    phone: str
    union_id: str
    is_blocked: bool = False

    def openid(self, app_id: str) -> str:
        """What they are called in one app."""
        return (
            "o" + base64.urlsafe_b64encode(hashlib.sha256(f"{app_id}/{self.union_id}".encode()).digest())[:27].decode()
        )


@dataclass
class _Code:
    app_id: str
    person: Person
    expire_s: float
    is_used: bool = False


@dataclass
class WeChatSimulator:
    """The platform's memory. `clock` is in seconds, `busy` answers every call with the quota's error."""

    clock: Callable[[], float] = time.monotonic
    secrets_by_app: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    # Whether apps of this account share a union id; an account of one app only gets none.
    has_union_ids: bool = True
    busy: bool = False
    is_failing: bool = False
    session_keys: list[str] = field(default_factory=list)
    _login_codes: dict[str, _Code] = field(default_factory=dict)
    _phone_codes: dict[str, _Code] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def app(self) -> Starlette:
        """As an ASGI application."""

        def route(path: str, method: str, handle: Callable[[Request], Awaitable[dict[str, object]]]) -> Route:
            async def endpoint(request: Request) -> JSONResponse:
                try:
                    return JSONResponse(await handle(request))
                except KeyError as missing:
                    return JSONResponse({"problem": f"unknown or missing: {missing.args[0]}"}, status_code=404)

            return Route(path, endpoint, methods=[method])

        return Starlette(
            routes=[
                route("/healthz", "GET", self._is_alive),
                route("/sns/jscode2session", "GET", self._session),
                route("/cgi-bin/stable_token", "POST", self._token),
                route("/wxa/business/getuserphonenumber", "POST", self._phone),
                route("/simulator/apps", "POST", self._add_app),
                route("/simulator/people", "POST", self._add_person),
                route("/simulator/login-codes", "POST", self._press_login),
                route("/simulator/phone-codes", "POST", self._press_phone),
                route("/simulator/session-keys", "GET", self._tell_session_keys),
            ]
        )

    async def _is_alive(self, _: Request) -> dict[str, object]:
        return {"status": "alive"}

    # ---- what a person's phone does

    def add_app(self, app_id: str, app_secret: str) -> None:
        """Register a mini-program."""
        self.secrets_by_app[app_id] = app_secret

    def add_person(self, phone: str) -> Person:
        """Somebody with this phone, as +8613800000001; the same phone is the same person."""
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", phone):
            raise KeyError("phone")
        if phone not in self.people:
            self.people[phone] = Person(phone, "u" + secrets.token_urlsafe(20))
        return self.people[phone]

    def login_code(self, app_id: str, phone: str) -> str:
        """What wx.login gives."""
        return self._new_code(self._login_codes, app_id, phone)

    def phone_code(self, app_id: str, phone: str) -> str:
        """What the phone-number button gives."""
        return self._new_code(self._phone_codes, app_id, phone)

    def end_tokens(self) -> None:
        """Every access token is replaced by the platform."""
        self._tokens.clear()

    def _new_code(self, codes: dict[str, _Code], app_id: str, phone: str) -> str:
        if app_id not in self.secrets_by_app:
            raise KeyError("app_id")
        code = secrets.token_urlsafe(24)
        codes[code] = _Code(app_id, self.people[phone], self.clock() + CODE_SECONDS)
        return code

    async def _add_app(self, request: Request) -> dict[str, object]:
        body = await request.json()
        self.add_app(body["app_id"], body["app_secret"])
        return {"app_id": body["app_id"]}

    async def _add_person(self, request: Request) -> dict[str, object]:
        return {"phone": self.add_person((await request.json())["phone"]).phone}

    async def _press_login(self, request: Request) -> dict[str, object]:
        body = await request.json()
        return {"code": self.login_code(body["app_id"], body["phone"])}

    async def _press_phone(self, request: Request) -> dict[str, object]:
        body = await request.json()
        return {"code": self.phone_code(body["app_id"], body["phone"])}

    async def _tell_session_keys(self, _: Request) -> dict[str, object]:
        return {"session_keys": self.session_keys}

    # ---- the platform's own endpoints

    async def _session(self, request: Request) -> dict[str, object]:
        query = request.query_params
        app_id = query.get("appid", "")
        refused = self._refused(app_id, query.get("secret", ""))
        if refused:
            return refused
        code = self._use(self._login_codes, app_id, query.get("js_code", ""))
        if isinstance(code, dict):
            return code
        if code.person.is_blocked:
            return _BLOCKED
        self.session_keys.append(base64.b64encode(secrets.token_bytes(16)).decode())
        answer: dict[str, object] = {"session_key": self.session_keys[-1], "openid": code.person.openid(app_id)}
        return answer | ({"unionid": code.person.union_id} if self.has_union_ids else {})

    async def _token(self, request: Request) -> dict[str, object]:
        body = await request.json()
        app_id = body.get("appid", "")
        refused = self._refused(app_id, body.get("secret", ""))
        if refused:
            return refused
        known = self._tokens.get(app_id)
        if known is None or known[1] <= self.clock():
            known = self._tokens[app_id] = (secrets.token_urlsafe(64), self.clock() + TOKEN_SECONDS)
        return {"access_token": known[0], "expires_in": int(known[1] - self.clock())}

    async def _phone(self, request: Request) -> dict[str, object]:
        token = request.query_params.get("access_token", "")
        owner = next(((app_id, end) for app_id, (known, end) in self._tokens.items() if known == token), None)
        if owner is None:
            return _INVALID_CREDENTIAL
        app_id, end_s = owner
        if end_s <= self.clock():
            return _TOKEN_ENDED
        if self.busy:
            return _QUOTA
        code = self._use(self._phone_codes, app_id, (await request.json()).get("code", ""))
        if isinstance(code, dict):
            return code
        number = code.person.phone
        country = "86" if number.startswith("+86") else number[1:2]
        pure = number[1 + len(country) :]
        return {
            "errcode": 0,
            "errmsg": "ok",
            "phone_info": {
                "phoneNumber": pure if country == "86" else number,
                "purePhoneNumber": pure,
                "countryCode": country,
                "watermark": {"timestamp": int(time.time()), "appid": app_id},
            },
        }

    def _refused(self, app_id: str, app_secret: str) -> dict[str, object] | None:
        if self.is_failing:
            return _SYSTEM_BUSY
        if self.busy:
            return _QUOTA
        if app_id not in self.secrets_by_app:
            return _INVALID_APP_ID
        return None if self.secrets_by_app[app_id] == app_secret else _INVALID_SECRET

    def _use(self, codes: dict[str, _Code], app_id: str, text: str) -> _Code | dict[str, object]:
        code = codes.get(text)
        if code is None or code.app_id != app_id or code.expire_s <= self.clock():
            return _INVALID_CODE
        if code.is_used:
            return _CODE_USED
        code.is_used = True
        return code


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m suite.simulators.wechat", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9090)
    options = parser.parse_args()
    uvicorn.run(WeChatSimulator().app(), host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
