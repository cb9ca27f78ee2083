"""Wallets beside the main one, and what goes between them.

Currencies, their conversion, stored value, transfers, family pools.
"""
