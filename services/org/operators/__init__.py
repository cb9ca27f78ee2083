"""Operators: the people who run a group, what they may do and where, and their sessions."""
