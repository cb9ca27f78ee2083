"""The gateway's doors, as terminals, vendors and the group's own systems use them: signed requests, retried safely."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from gateway.auth.signing import sign_request
from suite.errors import SuiteError

PATIENCE_SECONDS = 90.0
CONNECTIONS = 64


class DoorClosed(SuiteError):
    """The gateway at {url} does not answer: {problem}"""

    zh = "网关 {url} 没有响应：{problem}"


class DoorRefused(SuiteError):
    """{path} was refused: {reason} ({status}): {detail}"""

    zh = "{path} 被拒绝：{reason}（{status}）：{detail}"

    @property
    def reason(self) -> str:
        """The stable reason."""
        return str(self.values["reason"])


@dataclass(frozen=True, slots=True)
class Key:
    """A credential."""

    key_id: str
    secret: str

    def headers(self, method: str, path: str, query: str, body: bytes) -> dict[str, str]:
        """What makes a request one of the key's. Signed anew for each try: a nonce is good once."""
        return sign_request(key_id=self.key_id, secret=self.secret, method=method, path=path, query=query, body=body)


@dataclass(frozen=True, slots=True)
class Session:
    """A person who has logged in; without a token, anybody."""

    token: str

    def headers(self, *_: object) -> dict[str, str]:
        """What makes a request one of the person's."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


NOBODY = Session("")
Who = Key | Session


class Doors:
    """Requests to one gateway. What is in doubt is asked again with the same content, so it counts once."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Doors:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=70),
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, key: Who, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST one JSON request. Raises DoorRefused with the typed reason, DoorClosed."""
        content = await self._send("POST", key, path, "", orjson.dumps(body), "application/json")
        return orjson.loads(content)

    async def post_lines(self, key: Who, path: str, lines: Sequence[bytes]) -> list[dict[str, Any]]:
        """POST NDJSON; the answer has a line for each. Raises DoorRefused when any line was refused."""
        content = await self._send("POST", key, path, "", b"\n".join(lines), "application/x-ndjson")
        answers = content.splitlines()
        refused = [answer for answer in answers if b'"error"' in answer and b'"result"' not in answer]
        if refused:
            problem = orjson.loads(refused[0])["error"]
            raise DoorRefused(
                path=path, status="line", reason=problem.get("reason", "?"), detail=problem.get("detail", problem)
            )
        if len(answers) != len(lines):
            raise DoorRefused(path=path, status="line", reason="LINES_MISSING", detail=f"{len(answers)} answers")
        return [orjson.loads(answer) for answer in answers] if path != "/v1/sales:batch" else []

    async def get(self, key: Who, path: str, **parameters: object) -> dict[str, Any]:
        """GET. Raises DoorRefused, DoorClosed."""
        query = urlencode({name: value for name, value in parameters.items() if value not in ("", None)})
        return orjson.loads(await self._send("GET", key, path, query, b"", ""))

    async def pages(self, key: Who, path: str, field: str, **parameters: object) -> list[dict[str, Any]]:
        """All rows of a list, page by page."""
        rows: list[dict[str, Any]] = []
        token = ""
        while True:
            page = await self.get(key, path, page_size=200, page_token=token, **parameters)
            rows.extend(page.get(field, []))
            token = page.get("next_page_token", "")
            if not token:
                return rows

    async def _send(self, method: str, key: Who, path: str, query: str, body: bytes, content_type: str) -> bytes:
        if self._session is None:
            raise RuntimeError("use `async with`")
        loop = asyncio.get_running_loop()
        give_up = loop.time() + PATIENCE_SECONDS
        pause = 0.1
        while True:
            headers = key.headers(method, path, query, body)
            if content_type:
                headers["Content-Type"] = content_type
            try:
                async with self._session.request(
                    method, f"{self.url}{path}{'?' + query if query else ''}", data=body or None, headers=headers
                ) as response:
                    content = await response.read()
                    if response.status < 400:
                        return content
                    is_passing = response.status in (429, 502, 503, 504) or b'"PAYMENT_IN_PROGRESS"' in content
                    if not is_passing or loop.time() > give_up:
                        raise _refusal(path, response.status, content)
                    pause = max(pause, float(response.headers.get("Retry-After", "0")) / 4)
            except (aiohttp.ClientError, TimeoutError) as error:
                if loop.time() > give_up:
                    raise DoorClosed(url=self.url, problem=type(error).__name__) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)


def _refusal(path: str, status: int, content: bytes) -> DoorRefused:
    try:
        problem = orjson.loads(content)
    except orjson.JSONDecodeError:
        problem = {}
    return DoorRefused(
        path=path,
        status=status,
        reason=problem.get("reason", "?"),
        detail=problem.get("detail", "") + (f" {problem['errors']}" if problem.get("errors") else ""),
    )
