"""What was changed in a picture, seen beside its original, as the bench compares it."""
