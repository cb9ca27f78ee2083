"""A person's whole data: shown across all services, and erased in all of them."""
