"""Notices of payment platforms about what members paid in stores (支付即积分)."""
