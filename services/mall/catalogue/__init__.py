"""Vouchers that points buy, and their stock."""
