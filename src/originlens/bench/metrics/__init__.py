"""One metric per file, each with its direction, bounds and interval; ``_x.py`` is plumbing."""
