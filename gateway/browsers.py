"""Which web pages may call from a browser (CORS, as the Fetch standard has it): none unless their origin is listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_REQUEST_HEADERS = (
    "authorization, content-type, content-encoding, accept-language, traceparent, huitong-proof, huitong-reason"
)
_SHOWN_HEADERS = "x-trace-id, retry-after, ratelimit, ratelimit-policy"
_REMEMBER_SECONDS = 600


class Browsers:
    """Answers what a browser asks on behalf of a page."""

    def __init__(self, origins: str) -> None:
        """`origins` are "https://app.example", separated by commas; empty lets no page in."""
        self._origins = frozenset(each.strip().encode() for each in origins.split(",") if each.strip())

    def headers(self, request: Mapping[bytes, bytes]) -> dict[str, str]:
        """What every answer says to the page that asked."""
        origin = request.get(b"origin")
        if not self._origins or origin is None:
            return {}
        if origin not in self._origins:
            return {"vary": "origin"}
        return {
            "vary": "origin",
            "access_control_allow_origin": origin.decode("latin-1"),
            "access_control_expose_headers": _SHOWN_HEADERS,
        }

    def is_preflight(self, method: str, request: Mapping[bytes, bytes]) -> bool:
        """Whether a browser only asks what an allowed page may do."""
        return (
            method == "OPTIONS"
            and request.get(b"origin") in self._origins
            and b"access-control-request-method" in request
        )

    def permissions(self, verbs: Iterable[str]) -> dict[str, str]:
        """The answer to that. Cookies are never used, so credentials are not allowed."""
        return {
            "access_control_allow_methods": ", ".join(verbs),
            "access_control_allow_headers": _REQUEST_HEADERS,
            "access_control_max_age": str(_REMEMBER_SECONDS),
        }
