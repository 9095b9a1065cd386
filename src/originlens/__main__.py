"""``python -m originlens``: the command line."""

import sys

from originlens.surfaces.cli import main

if __name__ == "__main__":
    sys.exit(main())
