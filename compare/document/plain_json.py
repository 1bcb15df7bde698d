"""Results as JSON text: NumPy's values made plain, short lists on one line."""

import json
import re
from typing import Any

import numpy as np


def dumps(value: object) -> str:
    """`value` as JSON, indented, with lists of plain values on one line each."""
    # JSON has no word for NaN and infinity; `plain` turns them into texts before they get here
    text = json.dumps(plain(value), indent=1, allow_nan=False)
    # a line break never stands inside a JSON text, so this can only be a list's own
    return re.sub(r"\[\n\s*([^\[\]{}]*?)\n\s*\]",
                  lambda found: "[" + re.sub(r"\n\s*", " ", found[1]) + "]", text) + "\n"


def plain(value: object) -> Any:
    """NumPy's numbers and arrays, tuples, NaN and infinity as what JSON knows."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value
