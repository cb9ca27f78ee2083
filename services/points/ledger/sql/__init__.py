"""The ledger's functions in SQL. A migration applies them whenever they have changed."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise

_END = re.compile(r"(?m)^(?:END )?\$\$;$")


def statements(suffix: str = "") -> list[str]:
    """Every function's text in order, for tables and functions whose names end with `suffix`.

    The suffix is empty on plain PostgreSQL and the shard's on a cluster, where the call runs on physical tables.
    """
    sources = sorted((f for f in files(__name__).iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    texts = [source.read_text(encoding="utf-8").replace("{s}", suffix) for source in sources]
    return [statement for text in texts for statement in _split(text)]


def _split(text: str) -> list[str]:
    """One statement each: drivers that prepare what they run take no more at once."""
    ends = [0, *(found.end() for found in _END.finditer(text))]
    return [text[start:end].strip() for start, end in pairwise(ends)]
