"""What state a member is in, who may not join or log in, and how fast people may join."""
