"""Whom a network address stands for."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

PREFIX_BITS = 64


def network_of(address: str) -> str:
    """An IPv4 address as it is; of an IPv6 one its /64, since whoever has one address of that has all of them."""
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), PREFIX_BITS), strict=False))
