"""Points without a sale: adjustments by operators, rewards of other services."""
