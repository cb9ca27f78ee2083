"""What a member tells about themself: kept encrypted, as complete as it is, a birthday that does not change at will."""
