"""What earning costs, and what is done when it costs too much."""
