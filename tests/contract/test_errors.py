"""Every refusal of every part says what is wrong in English and in Chinese, with the same values in both."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest

import chassis
import gateway
import services
import suite
from chassis.errors import AppError, RemoteError


def _all(kind: type[AppError]) -> Iterator[type[AppError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _all(one)


def _errors() -> list[type[AppError]]:
    """Those of all modules, without the bases of others that refuse nothing themselves."""
    for package in (chassis, services, gateway, suite):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(".__main__") and ".migrations" not in found.name:
                importlib.import_module(found.name)
    ours = [one for one in _all(AppError) if one.__module__.startswith(("chassis.", "services.", "gateway.", "suite."))]
    # What came from another service has its sentences from there.
    told = [one for one in ours if not issubclass(one, RemoteError)]
    return [one for one in told if "reason" in vars(one) or not one.__subclasses__()]


ERRORS = _errors()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{error.__module__}.{error.__name__}")
def test_a_refusal_says_the_same_in_both_languages(error: type[AppError]) -> None:
    assert vars(error).get("__doc__") and vars(error).get("zh"), "sentences of its own"
    english, chinese = inspect.cleandoc(error.__doc__ or "").splitlines()[0], error.zh
    assert english.isascii() and english.endswith(".") and chinese.endswith("。")
    assert any("一" <= character <= "鿿" for character in chinese)
    # A value that is itself a sentence comes in both languages, too.
    assert _values(english) == {name.removesuffix("_zh") for name in _values(chinese)}


def _values(sentence: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", sentence))


def test_all_of_them_were_found() -> None:
    areas = {error.__module__.partition(".")[0] for error in ERRORS}
    assert areas >= {"chassis", "services", "gateway"} and len(ERRORS) > 250
