"""Writes the page to standard output."""

import sys

from compare.evaluation.support_matrix.page import page

sys.stdout.write(page())
