"""Checkout at a till: coupon, points offset and earning in one call, as a saga."""
