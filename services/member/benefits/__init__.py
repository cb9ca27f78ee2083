"""What tiers are worth beside points, and how often it was used."""
