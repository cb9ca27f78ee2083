"""Mechanics that every service shares; nothing here knows a business word."""
