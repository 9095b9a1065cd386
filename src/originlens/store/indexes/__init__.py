"""Nearest-neighbour indexes of one segment: each module is one method of kind ``index``."""
