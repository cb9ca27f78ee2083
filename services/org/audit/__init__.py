"""Who did what: a chain of entries for each group that nobody can change unnoticed."""
