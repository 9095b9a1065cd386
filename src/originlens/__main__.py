"""``python -m originlens``: the command line."""

import sys

from originlens.surfaces.cli import main

sys.exit(main())
