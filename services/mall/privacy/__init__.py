"""What the mall keeps about a member, and how it is taken away."""
