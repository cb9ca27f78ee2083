"""Behind a TLS proxy: whom a forwarded address is believed from, over real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from chassis.config import SettingsError, load_settings
from gateway.__main__ import server
from gateway.limits import FAILURES_PER_MINUTE
from tests.support import Sandbox

ANNA, BERT = "203.0.113.1", "203.0.113.2"
# More requests of one address than any of its limits lets through.
ENOUGH = 3 * FAILURES_PER_MINUTE
Ask = Callable[[httpx.AsyncClient, str], Awaitable[int]]


@asynccontextmanager
async def gateway(sandbox: Sandbox, trusted: str) -> AsyncIterator[httpx.AsyncClient]:
    """A proxy on this machine, in front of a gateway that trusts `trusted`."""
    given = {name.removeprefix("HUITONG_").lower(): value for name, value in sandbox.environment.items()}
    port = sandbox.free_port()
    config = load_settings(**{**given, "gateway_port": port, "trusted_proxies": trusted})
    serving = server(config)
    task = asyncio.create_task(serving.serve())
    while not serving.started:
        await asyncio.sleep(0.01)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as proxy:
        yield proxy
    serving.should_exit = True
    await task


async def login(proxy: httpx.AsyncClient, forwarded: str) -> int:
    """The status of a login that says nothing: 400, or 429 when the public at that address has begun too many."""
    headers = {"x-forwarded-for": forwarded}
    return (await proxy.post("/v1/login:start", json={"unknown": 1}, headers=headers)).status_code


async def guess(proxy: httpx.AsyncClient, forwarded: str) -> int:
    """The status of a token that is made up: 401, or 429 when too many were."""
    headers = {"x-forwarded-for": forwarded, "authorization": "Bearer x.y.z"}
    return (await proxy.get("/v1/stores", headers=headers)).status_code


def somewhere() -> Iterator[str]:
    """Another address each time."""
    return (f"203.0.{number // 200}.{number % 200}" for number in range(ENOUGH))


async def is_ever_limited(ask: Ask, proxy: httpx.AsyncClient, addresses: Iterable[str]) -> bool:
    """Whether one of these requests is answered with 429."""
    for address in addresses:
        if await ask(proxy, address) == 429:
            return True
    return False


@pytest.mark.parametrize(("ask", "usual"), [(login, 400), (guess, 401)])
async def test_each_client_of_a_trusted_proxy_has_buckets_of_its_own(sandbox: Sandbox, ask: Ask, usual: int) -> None:
    async with gateway(sandbox, "10.9.0.0/16, 127.0.0.1") as proxy:
        assert await is_ever_limited(ask, proxy, [ANNA] * ENOUGH)
        assert await ask(proxy, BERT) == usual
        # Who she says that she is counts as little as the proxies of ours on the way.
        assert await is_ever_limited(ask, proxy, [f"198.51.100.7, {ANNA}, 10.9.1.1"] * 3)
        assert not await is_ever_limited(ask, proxy, somewhere())


@pytest.mark.parametrize("ask", [login, guess])
@pytest.mark.parametrize("trusted", ["", "10.9.0.0/16"])
async def test_what_anybody_else_forwards_counts_for_nothing(sandbox: Sandbox, ask: Ask, trusted: str) -> None:
    async with gateway(sandbox, trusted) as somebody:
        assert await is_ever_limited(ask, somebody, somewhere())


async def test_browsers_that_came_by_tls_are_told_to_stay(sandbox: Sandbox) -> None:
    for trusted, is_strict in (("127.0.0.1", True), ("10.9.0.0/16", False)):
        async with gateway(sandbox, trusted) as proxy:
            for proto in ("https", "http"):
                answer = await proxy.get("/healthz", headers={"x-forwarded-proto": proto})
                assert ("strict-transport-security" in answer.headers) == (is_strict and proto == "https")


@pytest.mark.parametrize("trusted", ["*", "proxy.example", "10.9.0.1/16", "0.0.0.0/0", "::/0", "10.9.0.1,"])
def test_a_proxy_has_an_address(sandbox: Sandbox, trusted: str) -> None:
    given = {name.removeprefix("HUITONG_").lower(): value for name, value in sandbox.environment.items()}
    with pytest.raises(SettingsError, match=r"TRUSTED_PROXIES: .*addresses and networks"):
        load_settings(**given, trusted_proxies=trusted)
