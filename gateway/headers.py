"""What answers say to browsers: that nothing is to be guessed, told on, framed or run, but what a page is made of."""

from __future__ import annotations

from starlette.types import Message, Send

_ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
# JSON, whether it is an answer or a refusal: shown in a browser it is text that loads nothing.
API = {
    **_ALWAYS,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
# Everything a page needs comes from here.
PAGES = {
    **_ALWAYS,
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
}
# Of what came by TLS: a year long nothing else.
_STRICT = (b"strict-transport-security", b"max-age=31536000")


def strictly(send: Send) -> Send:
    """`send` for a request that came by TLS."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], _STRICT]
        await send(message)

    return sending
