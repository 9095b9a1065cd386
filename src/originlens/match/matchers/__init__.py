"""Whole systems that find the original of a picture, as the bench compares them."""
