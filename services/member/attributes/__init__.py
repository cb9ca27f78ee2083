"""What a group notes of its members: typed attributes and tags, each with where it comes from."""
