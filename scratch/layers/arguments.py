"""Checks of layer arguments, worded as Keras words them: what was expected, what came."""

import numbers


def positive(value, name: str, owner) -> int:
    """A whole number above zero."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value <= 0:
        raise ValueError(f"{owner}: expected {name} to be a positive integer. "
                         f"Received: {name}={value!r}")
    return int(value)


def not_negative(value, name: str, owner) -> int:
    """A whole number, zero or above."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
        raise ValueError(f"{owner}: expected {name} to be zero or a positive integer. "
                         f"Received: {name}={value!r}")
    return int(value)


def one_per_axis(value, axes: int, name: str, owner, check=positive) -> tuple[int, ...]:
    """One whole number for all axes, or a tuple with one for each; `check` looks at each."""
    values = (value,) * axes if isinstance(value, numbers.Integral) else value
    if not isinstance(values, (tuple, list)) or len(values) != axes:
        raise ValueError(f"{owner}: expected {name} to be an integer or a tuple of {axes} "
                         f"integer{'s' * (axes > 1)}. Received: {name}={value!r}")
    return tuple(check(v, name, owner) for v in values)


def pair(value, name: str, owner, check=positive) -> tuple[int, int]:
    """One whole number for both, or one for each, such as (rows, columns)."""
    first, second = one_per_axis(value, 2, name, owner, check)
    return first, second


def padding_name(value, owner, names=("valid", "same")) -> str:
    """One of the names, in any case."""
    if not isinstance(value, str) or value.lower() not in names:
        raise ValueError(f"{owner}: expected padding to be {' or '.join(map(repr, names))}. "
                         f"Received: padding={value!r}")
    return value.lower()
