"""`python -m tests.bench`: how fast the ledger is, beside its baselines in the same run."""
