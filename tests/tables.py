"""The tables that a service declares."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from sqlalchemy import MetaData


def declared_tables(service: str) -> MetaData:
    """Those of its store.py, and of modules anywhere in it that are named after their tables."""
    package = import_module(f"services.{service}")
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith(("_tables", ".tables")):
            import_module(module.name)
    found: MetaData = import_module(f"services.{service}.store").metadata
    return found
