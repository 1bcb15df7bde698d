"""Numbers as they are read: no more digits than mean something."""

import math

EXACT = 4  # digits after the point of what has no uncertainty


def decimals(uncertainty: float) -> int:
    """How many digits after the point still mean something, given the uncertainty.

    Those down to its first digit, or its second where the first is a 1: 3 for 0.003, 4 for 0.0014.
    """
    if not math.isfinite(uncertainty) or uncertainty <= 0:
        return EXACT
    lead, exponent = f"{uncertainty:.1e}".split("e")
    return max(0, (1 if lead[0] == "1" else 0) - int(exponent))


def measured(value: float, uncertainty: float | None, sign: str = "") -> str:
    """'0.891 ± 0.003'; the value alone where the uncertainty is not known.

    Args:
        sign: '+' to show that of positive values too.
    """
    if uncertainty is None:
        return f"{value:{sign}.{EXACT}f}"
    digits = decimals(uncertainty)
    return f"{value:{sign}.{digits}f} ± {uncertainty:.{digits}f}"


def significant(value: float) -> str:
    """Three significant digits, or all before the point; never in powers of ten."""
    return f"{value:,.{significant_decimals(value)}f}"


def significant_decimals(value: float) -> int:
    """Digits after the point that make three significant ones, 3 at most."""
    size = abs(value)
    return 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
