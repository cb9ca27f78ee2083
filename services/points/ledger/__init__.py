"""The ledger: lanes, wallets, lots and holds, changed by one SQL call for a whole batch.

ledger.py is the lane; sql/ holds the call's functions; movements.py and events_source.py read what was written;
claims.py and batched.py make things unique over all wallets.
"""
