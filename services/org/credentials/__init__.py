"""Keys of machines: made, rotated, bound to certificates, revoked; their secrets are stored encrypted."""
