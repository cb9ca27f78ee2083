"""Showing once more who one is (a proof for spending, gifting, changing the phone), and the change of the phone."""
