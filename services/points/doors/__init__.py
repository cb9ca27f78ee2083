"""One purchase that comes through several doors earns once: payments, devices' own counts, sales that are compared.

sale_cases.py reports doubtful pairs; single_sales.py records together what arrives together.
"""
