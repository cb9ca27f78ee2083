"""The demo's figures, computed a second time: from the Parquet files and docs/demo-year.md alone.

Nothing here uses the services' code, so what is wrong there cannot be wrong here in the same way. `python -m
tests.figures` prints the tables; `recompute.recompute()` gives them; `compare.differences()` compares them with what
the services report.
"""
