"""The whole contract against the whole suite: generated requests at every door, random bytes at every RPC."""
