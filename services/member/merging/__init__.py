"""Merges of members, and their undoing: done here at once, followed by the other services, each of which says so."""
