"""Merged members: coupons and orders follow the survivor, and go back when the merge is undone."""
