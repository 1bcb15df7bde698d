"""`python -m compare` is the command `parity`."""

import sys

from compare.cli import main

sys.exit(main())
