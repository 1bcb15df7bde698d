"""A minimal failing case as people read it: printed, and as a test file ready to run."""

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
    case = minimal.case
    said = ", ".join(f"{key}={value!r}" for key, value in settings(case).items())
    title = line(strong("Smallest case that still fails"),
                 f": {case.class_name}({said}), {minimal.tensor}")
    parts = [wrapped(title, indent="    "),
             *(_show(f"input {i + 1}" if len(case.inputs) > 1 else "input", x)
               for i, x in enumerate(case.inputs))]
    parts += [_show(name, weight) for name, weight in case.weights.items()]
    if minimal.tensor != "output":
        parts.append(_show("gradient of the output", case.dy))
    parts.append(_show("expected", minimal.expected))
    if minimal.actual is None:
        return lines([*parts, wrapped(line(f"actual: {minimal.error}"), indent="    ")])
    parts.append(_show("actual", minimal.actual))
    parts.append(line(f"allowed: a difference of {np.max(minimal.allowed):.3g} at most"))
    return lines(parts)


def pictured(minimal: MinimalCase) -> Excerpt | None:
    """The result of the case, expected and actual, with its worst element marked; None where there
    is no such result."""
    if minimal.actual is None or np.shape(minimal.actual) != np.shape(minimal.expected):
        return None
    allowed = np.broadcast_to(minimal.allowed, np.shape(minimal.expected))
    used = share(distance(minimal.actual, minimal.expected), allowed)
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(used), used.shape))
    return close_up(minimal.tensor, minimal.actual, minimal.expected, allowed, used, worst)


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


def _show(title: str, array: np.ndarray) -> Text:
    # axes of length 1 only add brackets
    text = np.array2string(np.squeeze(array), precision=9, threshold=60, separator=", ")
    return lines([f"{title} {array.shape}:", as_lines(text)])
