"""`python -m compare` is the command `parity`."""

import sys

from compare.cli import command

sys.exit(command())
