"""How many examples a property is tried on."""

from hypothesis import settings

FULL = 100  # examples of a test that names no number, when all are drawn


def draws(full: int) -> int:
    """`full` with the long draws (`.ci/run`), else a quarter: the first of the same examples."""
    return max(1, full * settings.default.max_examples // FULL)
