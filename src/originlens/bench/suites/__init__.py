"""Benchmarks that one command runs: ``originlens bench run NAME``."""
