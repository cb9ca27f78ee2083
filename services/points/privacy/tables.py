"""Who was erased here."""

from __future__ import annotations

from chassis.personal_data import erased_member_table
from services.points.metadata import metadata

erased_member = erased_member_table(metadata)
