"""A minimal failing case as people read it: printed, and as a test file ready to run."""

import re

import numpy as np

from compare.checks.excerpt import Excerpt, close_up
from compare.checks.row import distance, share
from compare.document.sections import wrapped
from compare.document.text import Text, as_lines, line, lines, strong
from compare.reduction.minimize import MinimalCase
from compare.tracing.configs import incidental

# What a layer does unless it is told otherwise, and need not be told of it.
UNSAID = {"trainable": True, "data_format": "channels_last", "groups": 1,
          "dilation_rate": [1, 1]}

SHAPE = re.compile(r"of shape \(.*?\)[^(]*Received: (\(.*?\))")  # as the adapters tell of one
MARK = "Reproduces a mistake that `parity debug` found"  # by which its files are known again
TEST = '''\
"""{mark}: {layer} {tensor}."""

import numpy as np

import compare


def test_{function}():
    compare.assert_case(
        {spec!r}, {layer!r}, {tensor!r}, part={part!r},
        class_name={class_name!r},
        config={config!r},
        x={x},
        dy={dy},
        weights={{{weights}}},
        expected={expected},
        allowed={allowed},
        changes={changes!r}, training={training},{cause}
    )
'''


def explain(minimal: MinimalCase) -> Text:
    """The case in a few lines: the layer's arguments, what went in, what came out and should have.
    """
    case, actual = minimal.case, minimal.actual
    said = ", ".join(f"{key}={value!r}" for key, value in settings(case).items())
    title = line(strong("Smallest case that still fails"),
                 f": {case.class_name}({said}), {minimal.tensor}")
    other = SHAPE.search(minimal.error) if actual is None else None
    if other or actual is not None and actual.shape != minimal.expected.shape:
        shape = other[1] if other else actual.shape if actual is not None else ()
        return lines([wrapped(title, indent="    "),
                      *(line(f"{_input(case, i)} of shape {x.shape}")
                        for i, x in enumerate(case.inputs)),
                      line(f"expected shape {minimal.expected.shape}"),
                      line(f"actual shape {shape}")])
    parts = [wrapped(title, indent="    "),
             *(_show(_input(case, i), x)
               for i, x in enumerate(case.inputs))]
    parts += [_show(name, weight) for name, weight in case.weights.items()]
    if minimal.tensor != "output":
        parts.append(_show("gradient of the output", case.dy))
    parts.append(_show("expected", minimal.expected))
    if actual is None:
        return lines([*parts, wrapped(line(f"actual: {minimal.error}"), indent="    ")])
    wrong = ~(np.abs(actual - minimal.expected) <= minimal.allowed)  # so that NaN counts
    parts.append(_show("actual", actual, wrong))
    parts.append(line("* marks what is wrong"))
    parts.append(line(f"allowed: a difference of {np.max(minimal.allowed):.3g} at most"))
    return lines(parts)


def pictured(minimal: MinimalCase) -> Excerpt | None:
    """The result of the case, expected and actual, with its worst element marked; None where there
    is no such result."""
    if minimal.actual is None or np.shape(minimal.actual) != np.shape(minimal.expected):
        return None
    actual, expected = (np.asarray(each, np.float64)
                        for each in (minimal.actual, minimal.expected))
    allowed = np.broadcast_to(minimal.allowed, expected.shape)
    off = distance(actual, expected)
    used = share(off, allowed)
    most = np.where(used == used.max(initial=0), off, -1.0)  # where nothing is allowed, all are inf
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(most), most.shape))
    return close_up(minimal.tensor, actual, expected, allowed, used, worst)


def settings(case) -> dict:
    """The arguments that say what the layer computes, as far as they are set."""
    return {key: value for key, value in case.config.items()
            if not incidental(key) and value is not None and value != UNSAID.get(key, ())}


def as_test(minimal: MinimalCase, spec: str | None, cause: str = "") -> str:
    """The text of a pytest file that fails as long as the layer does.

    Args:
        spec: where the model comes from, as given to `parity debug --model`.
        cause: what was found to be wrong, in a sentence, for the first line of the failure.
    """
    case = minimal.case
    name = f"{minimal.layer}_{case.part}_{minimal.tensor}".replace("__", "_")
    weights = ", ".join(f"{key!r}: {_code(w)}" for key, w in case.weights.items())
    return TEST.format(
        mark=MARK, layer=minimal.layer, tensor=minimal.tensor, spec=spec, part=case.part,
        function="".join(c if c.isalnum() else "_" for c in name), class_name=case.class_name,
        config=settings(case), x=_code(case.x), dy=_code(case.dy), weights=weights,
        training=case.training, changes=case.changes, expected=_code(minimal.expected),
        allowed=_code(minimal.allowed), cause=f"\n        cause={cause!r}," if cause else "")


def _code(array: np.ndarray | tuple) -> str:
    if isinstance(array, tuple):
        return f"({', '.join(map(_code, array))},)"
    if array.size == 0:
        return f"np.zeros({array.shape}, {array.dtype.name!r})"
    return f"np.array({array.tolist()!r}, {array.dtype.name!r})"


def _input(case, i: int) -> str:
    return f"input {i + 1}" if len(case.inputs) > 1 else "input"


def _show(title: str, array: np.ndarray, marked: np.ndarray | None = None) -> Text:
    """An array under its title, whole numbers as such.

    Args:
        marked: of which numbers a * stands behind.
    """
    small = np.squeeze(array)  # axes of length 1 only add brackets
    whole = bool(np.isfinite(small).all() and (small == np.rint(small)).all()
                 and np.abs(small).max(initial=0) < 1e9)
    said = np.array([f"{int(n)}" if whole else np.format_float_positional(n, 9, trim="-")
                     if 1e-4 <= abs(n) < 1e9 or n == 0 else f"{n:.9g}" for n in small.flat],
                    dtype=object).reshape(small.shape)
    if marked is not None:
        stars = np.squeeze(marked)
        for index in np.ndindex(small.shape):
            said[index] += "*" if stars[index] else ""
    width = max(map(len, said.flat), default=0)
    text = np.array2string(said, threshold=60, separator=", ",
                           formatter={"all": lambda one: f"{one:>{width}}"})
    return lines([f"{title} {array.shape}:", as_lines(text)])
