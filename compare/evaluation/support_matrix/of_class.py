"""Which arguments of one class of Keras are supported, by its name."""

import difflib
import warnings

import keras

from compare.evaluation.support_matrix import layers, parts
from compare.evaluation.support_matrix.outcome import Outcome
from compare.evaluation.support_matrix.trial import REFUSED, TAKEN
from compare.evaluation.support_matrix.values import kind

MANY = 4  # values of a kind, from which on they are only counted


def of_class(name: str) -> list[list[str]]:
    """A row [argument, default, taken, refused by name] for each argument.

    Args:
        name: of a layer, a loss, a metric, an optimizer, a schedule, an initializer or a
            regularizer, as Keras spells it.

    Raises:
        ValueError: for a name that Keras does not have, and for a class that is not supported.
    """
    known: dict[str, tuple] = {}
    for part in reversed(parts.PARTS.values()):
        known |= {cls.__name__: (part, cls) for cls in parts.classes(keras, part)}
    for family in layers.classes(keras).values():
        known |= {cls.__name__: (None, cls) for cls in family}
    if name not in known:
        near = difflib.get_close_matches(name, known, 3)
        raise ValueError(f"Expected the name of a class of Keras. Received: {name!r}. "
                         + (f"Try {' or '.join(near)}" if near else
                            "Run `parity support` for all that is supported"))
    part, cls = known[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own, about what is tried
        if not (layers.is_supported(cls) if part is None else parts.is_taken(part, cls)):
            raise ValueError(f"Expected a class that is supported. Received: {name}, which is "
                             "refused by name. Run `parity support` for those that are")
        found = (layers.outcomes(keras, cls) if part is None
                 else parts.outcomes(keras, part, cls))
    return [_row(outcome) for outcome in found]


def _row(outcome: Outcome) -> list[str]:
    default = outcome.told[0].strip("`")
    return [outcome.argument, default,
            *(_listed(outcome.argument, outcome.values(of)) for of in (TAKEN, REFUSED))]


def _listed(argument: str, values: list) -> str:
    """The values; of activations and the like, of which there are many, their number."""
    of = kind(argument)
    if of and len(values) > MANY:
        return f"{len(values)} {of}s: see parity support"
    return ", ".join(map(_said, values))


def _said(value: object) -> str:
    return type(value).__name__ if type(value).__module__.startswith("keras") else repr(value)
