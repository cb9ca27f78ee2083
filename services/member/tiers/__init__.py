"""The ladder, and where members stand on it by what they have spent."""
