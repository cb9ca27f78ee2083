"""What the audit has to say of a change that an operator made, wherever a test makes it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from chassis.identity import Caller

INTEGRATION = Path(__file__).parent / "integration"
# What these change is nobody's to read.
ALIKE = {"WebhookService.RotateWebhookSecret"}


def assert_told(
    rpc: str, entry: Any, who: Caller, *, reason: str, subjects: set[str], before: Any = None, after: Any
) -> None:
    """An entry of the audit, or an Act on its way there, says who did what and why, and how things were and are.

    `before` and `after` are parts of what it says of them; without `before` there was nothing.
    """
    assert (entry.actor_kind, entry.actor, entry.via) == ("operator", who.subject, who.bound_id), rpc
    assert (entry.action, entry.reason) == (rpc.partition(".")[2], reason)
    assert set(entry.subject_ids) == subjects, rpc
    was, became = (says(entry.before_json), says(entry.after_json))
    assert (part_of(was, before), part_of(became, after)) == (before, after), rpc
    assert (was != became) is (rpc not in ALIKE), rpc


def says(told: str) -> Any:
    """What an entry has of a thing; None when that is nothing."""
    return (json.loads(told) if told else None) or None


def part_of(whole: Any, like: Any) -> Any:
    """What `whole` has at the places of `like`; a list has as many as it has."""
    if isinstance(whole, dict) and isinstance(like, dict):
        return {name: part_of(whole.get(name), value) for name, value in like.items()}
    if isinstance(whole, list) and isinstance(like, list):
        return [part_of(one, like[min(n, len(like) - 1)]) for n, one in enumerate(whole)] if like else whole
    return whole


def told_of() -> dict[str, str]:
    """By RPC, the file of which a test asserts what the audit says of it."""
    found: dict[str, str] = {}
    for path in INTEGRATION.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == assert_told.__name__:
                found[ast.literal_eval(node.args[0])] = path.relative_to(INTEGRATION.parents[1]).as_posix()
    return found
