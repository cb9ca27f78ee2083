"""What the demo remembers between runs, in the suite's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from suite.demo.doors import Key
from suite.home import Home, read_json, write_atomically


@dataclass
class Memory:
    """Keys and ids from the preparation, and the last day wholly played. Its file holds secrets: it is private."""

    group_id: str = ""
    system: dict[str, str] = field(default_factory=dict)
    # The second person, who approves what the system has drafted: login, password, totp_secret, session_token.
    approver: dict[str, str] = field(default_factory=dict)
    # When that session was opened, in unix seconds.
    approver_login_time: float = 0.0
    vendor: dict[str, str] = field(default_factory=dict)
    # By store code: store_id, key_id, secret.
    terminals: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    merchants: dict[str, str] = field(default_factory=dict)
    # By household: member id.
    members: dict[str, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    # By "campaign-upc": template id.
    templates: dict[str, str] = field(default_factory=dict)
    prepared: bool = False
    done_until: str = ""
    receipt_count: int = 0
    replay_seconds: float = 0.0

    @property
    def system_key(self) -> Key:
        """The group's own system."""
        return Key(self.system["key_id"], self.system["secret"])

    @property
    def vendor_key(self) -> Key:
        """The car park's vendor."""
        return Key(self.vendor["key_id"], self.vendor["secret"])

    def terminal_key(self, store_code: str) -> Key:
        """The till of a store."""
        terminal = self.terminals[store_code]
        return Key(terminal["key_id"], terminal["secret"])

    def store_id(self, store_code: str) -> str:
        """Id of a store."""
        return self.terminals[store_code]["store_id"]

    @property
    def last_day(self) -> date | None:
        """The last day that is wholly played."""
        return date.fromisoformat(self.done_until) if self.done_until else None


def load(home: Home) -> Memory:
    """What earlier runs left; an empty one when there is none or it is of another shape."""
    found: dict[str, Any] = read_json(home.path / "demo.json")
    try:
        return Memory(**found)
    except TypeError:
        return Memory()


def save(home: Home, memory: Memory) -> None:
    """Keep it, in one step."""
    write_atomically(home.path / "demo.json", json.dumps(asdict(memory)), durable=False)
