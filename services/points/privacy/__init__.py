"""A person's data here: told, exported, erased."""
