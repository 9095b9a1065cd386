"""One edit per file, each with its true transform and mask; ``_x.py`` files are plumbing."""
