"""Path templates of google.api.http, and the table that finds an operation for a request.

A path is looked up whole first, then among the templates of the same verb and number of segments: with a hundred
routes that is a few comparisons instead of a hundred regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")
_VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=([^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A path template, `/v1/sales/{sale_id}:cancel`; `*` is one segment, `**` at the end any number."""

    text: str
    pattern: re.Pattern[str]
    variables: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises ValueError when `text` is no template."""
        if not text.startswith("/"):
            raise ValueError(f"a path template starts with '/': {text}")
        names: list[str] = []
        pieces, end = [], 0
        for match in _VARIABLE.finditer(text):
            pieces.append(re.escape(text[end : match.start()]))
            names.append(match[1])
            pieces.append(f"({_segments(match[2] or '*')})")
            end = match.end()
        rest = text[end:]
        if "{" in rest or "}" in rest:
            raise ValueError(f"not a path template: {text}")
        pieces.append(re.escape(rest))
        return cls(text, re.compile("".join(pieces)), tuple(names))

    @property
    def is_plain(self) -> bool:
        """Whether it has no variable."""
        return not self.variables

    @property
    def open_path(self) -> str:
        """As OpenAPI writes it: variables without their patterns."""
        return _VARIABLE.sub(lambda match: "{" + match[1] + "}", self.text)

    @property
    def slash_count(self) -> int:
        """Slashes in every path that fits; -1 when it varies."""
        if "**" in self.text:
            return -1
        return _VARIABLE.sub(lambda match: match[2] or "*", self.text).count("/")


def _segments(pattern: str) -> str:
    # A colon starts a custom verb, so a segment has none.
    parts = ["[^/:]+" if part == "*" else "[^:]*" if part == "**" else re.escape(part) for part in pattern.split("/")]
    return "/".join(parts)


class RouteTable(Generic[T]):
    """Finds what was registered for a verb and a path."""

    def __init__(self, routes: Iterable[tuple[str, Template, T]]) -> None:
        self._plain: dict[tuple[str, str], T] = {}
        self._by_length: dict[tuple[str, int], list[tuple[Template, T]]] = {}
        self._verbs: set[str] = set()
        for verb, template, target in routes:
            self._verbs.add(verb)
            if template.is_plain:
                if (verb, template.text) in self._plain:
                    raise ValueError(f"two operations claim {verb} {template.text}")
                self._plain[verb, template.text] = target
            else:
                key = (verb, template.slash_count)
                self._by_length.setdefault(key, []).append((template, target))

    def find(self, verb: str, path: str) -> tuple[T, dict[str, str]] | None:
        """The target and the path's variables, percent-decoded; None when nothing fits."""
        target = self._plain.get((verb, path))
        if target is not None:
            return target, {}
        for length in (path.count("/"), -1):
            for template, candidate in self._by_length.get((verb, length), ()):
                match = template.pattern.fullmatch(path)
                if match:
                    return candidate, dict(zip(template.variables, map(unquote, match.groups()), strict=True))
        return None

    def verbs(self, path: str) -> list[str]:
        """The verbs that `path` can be called with."""
        return sorted(verb for verb in self._verbs if self.find(verb, path))
