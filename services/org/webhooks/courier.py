"""HTTP to partners' servers, never to our own: the address that is connected to is one that was checked just before."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from chassis.trust import authorities
from services.org.webhooks import rules
from services.org.webhooks.errors import WebhookUrlRefused
from services.org.webhooks.rules import Answer

RESOLVE_SECONDS, BODY_SECONDS = 3.0, 1.0
# Hosts that are looked up at once: of endpoints, and of addresses that somebody only wants to register.
SENDING_LOOKUPS, CHECKING_LOOKUPS = 256, 16
LONGEST_RETRY_AFTER_SECONDS = 6 * 3600.0
# Host and port → addresses. Raises OSError.
Resolver = Callable[[str, int], Awaitable[list[str]]]


class Courier:
    """Posts bytes. `is_local`: http, any port and any address are fine, for demos and tests."""

    def __init__(
        self,
        *,
        timeout_s: float,
        is_local: bool = False,
        resolve: Resolver | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout_s, self._is_local = timeout_s, is_local
        # Apart: whoever tries out addresses, as many as they like, holds up others who do, and nothing that is sent.
        self._names, self._names_to_check = _Names(SENDING_LOOKUPS), _Names(CHECKING_LOOKUPS)
        self._resolve = resolve or self._names.resolve
        self._resolve_to_check = resolve or self._names_to_check.resolve
        # No connection is used twice: each try connects to an address that was looked at for it, and a connection to
        # one name is never taken for another name at the same address. No proxy, no redirect.
        self._http = httpx.AsyncClient(
            verify=trust or authorities(trust_env=False),
            timeout=timeout_s,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()
        self._names.close()
        self._names_to_check.close()

    async def check(self, url: str) -> None:
        """Whether something may be sent to `url`. Raises WebhookUrlRefused."""
        try:
            parts = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise WebhookUrlRefused(problem="it cannot be read") from None
        problem = rules.url_problem(parts, is_local=self._is_local)
        if not problem:
            try:
                if not await self._addresses(parts, self._resolve_to_check):
                    problem = "an address of its host is not public"
            except (OSError, TimeoutError):
                problem = "its host is not known"
        if problem:
            raise WebhookUrlRefused(problem=problem)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One try, no longer than the timeout as a whole. Never raises for what the other side does."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(httpx.URL(url), headers, body)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(0, "TIMEOUT")
        except httpx.ConnectError as error:
            return Answer(0, "TLS_FAILED" if _is_tls(error) else "CONNECT_FAILED")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return Answer(0, "PROTOCOL_ERROR")

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Answer:
        if rules.url_problem(url, is_local=self._is_local):
            return Answer(0, rules.ADDRESS_REFUSED)
        try:
            addresses = await self._addresses(url, self._resolve)
        except OSError:
            return Answer(0, "HOST_UNKNOWN")
        if not addresses:
            return Answer(0, rules.ADDRESS_REFUSED)
        for address in addresses[:-1]:
            try:
                return await self._post_to(address, url, headers, body)
            except httpx.ConnectError:
                continue  # nothing was sent; a host that has an IPv6 address may be reached by IPv4 only
        return await self._post_to(addresses[-1], url, headers, body)

    async def _post_to(self, address: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Answer:
        # The address instead of the name, so that nothing resolves the name once more; the name where it belongs.
        request = self._http.build_request(
            "POST",
            url.copy_with(host=address),
            headers={**headers, "host": url.netloc.decode("ascii"), "accept-encoding": "identity"},
            content=body,
            extensions={"sni_hostname": url.raw_host.decode("ascii").strip("[]")},
        )
        response = await self._http.send(request, stream=True)
        try:
            excerpt = await _beginning(response)
        finally:
            await response.aclose()
        error = "" if response.is_success else "HTTP_STATUS"
        return Answer(response.status_code, error, excerpt, _retry_after(response))

    async def _addresses(self, url: httpx.URL, resolve: Resolver) -> list[str]:
        """The addresses of the host; none when one of them is not to be called. Raises OSError, TimeoutError."""
        port = url.port or (443 if url.scheme == "https" else 80)
        async with asyncio.timeout(RESOLVE_SECONDS):
            addresses = await resolve(url.raw_host.decode("ascii").strip("[]"), port)
        return addresses if self._is_local or all(map(rules.is_public, addresses)) else []


class _Names:
    """The system's resolver, in threads of its own: names of strangers that take long hold up nobody else.

    A lookup goes on in its thread when nobody waits any longer, as long as the name's servers like. So a host is looked
    up once at a time, for all who ask meanwhile, and never holds more than one thread.
    """

    def __init__(self, most: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=most, thread_name_prefix="webhook-names")
        self._asking: dict[str, asyncio.Task[list[str]]] = {}

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a name, or the address itself; they are the same at every port. Raises OSError."""
        task = self._asking.get(host)
        if task is None:
            task = self._asking[host] = asyncio.create_task(self._look_up(host))
            task.add_done_callback(lambda _: self._asking.pop(host, None))
        return await asyncio.shield(task)

    async def _look_up(self, host: str) -> list[str]:
        look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        except UnicodeError:  # a label that is empty or too long
            raise OSError("not a name") from None
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    def close(self) -> None:
        """Wait for nothing."""
        for task in self._asking.values():
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _beginning(response: httpx.Response) -> str:
    """The first bytes of the body as text.

    What counts is the status, which is there: a body that breaks or comes drop by drop changes nothing.
    """
    pieces = b""
    with contextlib.suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in response.aiter_raw():
                pieces += piece
                if len(pieces) >= rules.ANSWER_BYTES:
                    break
    text = pieces[: rules.ANSWER_BYTES].decode(errors="ignore")
    return "".join(each if each.isprintable() else " " for each in text)


def _is_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _retry_after(response: httpx.Response) -> float:
    """Seconds to wait, where the answer says so in seconds."""
    text = response.headers.get("retry-after", "")
    if response.status_code not in (429, 503) or not (text.isascii() and text.isdigit()):
        return 0.0
    return min(float(text[:9]), LONGEST_RETRY_AFTER_SECONDS)
