"""What lies below a part of the group."""
