"""The tables of points are declared in several modules, all of them here."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()
