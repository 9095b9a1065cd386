"""What people use today, behind the same door as our own matchers."""
