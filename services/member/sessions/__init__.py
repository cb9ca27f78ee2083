"""Login by phone and one-time code, and the sessions that it opens."""
