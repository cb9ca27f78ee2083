"""Drafts, their simulation, their second person, and the versions in force."""
