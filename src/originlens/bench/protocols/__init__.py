"""How an evaluation is set up: the manifest, grids over it, and checks against shortcuts.

One manifest (:mod:`~originlens.bench.protocols.manifest`) is the input of every evaluation; a known
data set's folder is turned into one by its declarative layout
(:mod:`~originlens.bench.protocols.layouts`). :mod:`~originlens.bench.protocols.grids` yields the
cells of a protocol, :mod:`~originlens.bench.protocols.equalise` writes a copy in which the file
format says nothing about the class, :mod:`~originlens.bench.protocols.shortcut` measures what it
says, and :mod:`~originlens.bench.protocols.worst_group` tells figures by group.
"""
