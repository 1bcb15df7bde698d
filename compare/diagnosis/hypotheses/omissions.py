"""What loops leave out, or do once too often: windows, channels, taps; and a bias's place."""

import numpy as np

from compare.diagnosis.hypotheses.activations import alone
from compare.diagnosis.hypothesis import Variant, inside
from compare.tracing.trace import WHOLE

# what is kept of an image's rows and columns
KEPT = {"only the first window is computed": (slice(1), slice(1)),
        "only the last window is computed": (slice(-1, None), slice(-1, None)),
        "only the first row of windows is computed": (slice(1), slice(None)),
        "only the first column of windows is computed": (slice(None), slice(1)),
        "only every second row of windows is computed": (slice(None, None, 2), slice(None)),
        "only every second column of windows is computed": (slice(None), slice(None, None, 2))}


def of_omitted_windows(c) -> list[Variant]:
    """Some windows alone are computed, or the same one everywhere; for gradients, those alone whose
    output's gradient is taken."""
    lay = c.layout()
    output = c.tensor == "output"
    image = lay.image(np.zeros(c.evaluate().shape) if output else np.asarray(c.value(c.dy)))
    found = []
    for said, part in KEPT.items():
        if all(len(range(n)[cut]) == n for n, cut in zip(image.shape[1:3], part)):
            continue

        def kept(array, part=part):
            array = np.asarray(lay.image(array))
            left = np.zeros_like(array)
            left[:, part[0], part[1]] = array[:, part[0], part[1]]
            return lay.given(left)

        def change(c, kept=kept):
            if output:
                return c.moved(kept)
            c = c.bare()
            return c.changed(dy=c.exact(c.dy).rearranged(kept))

        found.append(inside("windows-dropped", said, change))
    if c.tensor == "input_gradient":
        sizes = c.default_walk().kernel
        found.append(inside("windows-dropped", "only the first window's pixels get a gradient",
                            lambda c: c.moved(lambda dx: lay.given(_corner(
                                lay.image(dx), sizes)))))
    if output:
        found.append(inside("windows-dropped", "every output is that of the first window",
                            lambda c: c.moved(lambda y: _everywhere(lay, y))))
    return found


def _corner(image, sizes: tuple[int, ...]) -> np.ndarray:
    """The first numbers along each axis of (N, ..., C), zeros elsewhere."""
    part = (slice(None), *map(slice, sizes))
    left = np.zeros_like(image)
    left[part] = image[part]
    return left


def _everywhere(lay, array) -> np.ndarray:
    image = np.asarray(lay.image(array))
    first = image[(slice(None), *[slice(1)] * (image.ndim - 2))]
    return lay.given(np.broadcast_to(first, image.shape).copy())


def of_omitted_channels(c) -> list[Variant]:
    """Of the input, some channels alone are read; of a kernel's gradient, some alone are there."""
    kernel = c.weights.get("kernel")
    if kernel is None or np.shape(kernel)[-2] < 2 or isinstance(c.x, tuple) \
            or c.tensor == "bias_gradient":
        return []
    found = []
    for said, part in (("only the first channel is read", slice(1)),
                       ("only the last channel is read", slice(-1, None)),
                       ("the first channel is left out", slice(1, None)),
                       ("the last channel is left out", slice(-1))):
        def kept(weight, part=part):
            left = np.zeros_like(weight)
            left[..., part, :] = weight[..., part, :]
            return left

        def change(c, kept=kept):
            if c.tensor == "kernel_gradient":
                return c.moved(kept)
            c = c.bare() if c.tensor != "output" else c
            return c.weighing(kernel=kept(c.weights["kernel"]))

        found.append(inside("channels-dropped", said, change))
    return found


def of_bias_place(c) -> list[Variant]:
    """The bias added behind the activation, or once for each pixel or term."""
    bias, kernel = c.weights.get("bias"), c.weights.get("kernel")
    if bias is None or kernel is None or c.tensor != "output":
        return []
    found = []
    counts = {"each pixel of the window": int(np.prod(np.shape(kernel)[:-2])),
              "each input channel": np.shape(kernel)[-2],
              "each term": int(np.prod(np.shape(kernel)[:-1]))}
    for said, count in counts.items():
        if count > 2:  # twice has a name of its own
            found.append(inside("bias-doubled", f"it is added once for {said}",
                                lambda c, n=count: c.weighing(
                                    bias=n * np.asarray(c.weights["bias"], np.float64))))
    if c.part == WHOLE and np.ndim(bias) == 1 and c.config.get("data_format") != "channels_first":
        found.append(inside("bias-after-activation", "", lambda c: c.weighing(
            bias=np.zeros_like(bias)).then(lambda y: y + c.exact(c.weights["bias"]))))
    return found


def of_wrong_input(c) -> list[Variant]:
    """A dense kernel's gradient taken at other numbers than the layer's input."""
    if c.tensor != "kernel_gradient" or c.dy is None:
        return []
    found = []

    def at(said, taken):
        found.append(inside("gradient-wrong-input", said,
                            lambda c: c.bare().changed(x=taken(c), dy=c.bare().dy)))

    at("the layer's own output", lambda c: c.changed(tensor="output").evaluate().value)
    if c.part == WHOLE:
        at("what goes into the activation", lambda c: alone(c)[1].value)
    at("the gradient that comes in", lambda c: np.asarray(c.value(c.dy)))
    found.append(inside("batch-mixed", "the batch's mean input, for each sample", lambda c:
                        c.bare().changed(x=np.broadcast_to(np.mean(c.x, axis=0, keepdims=True,
                                                                   dtype=np.float64),
                                                           np.shape(c.x)), dy=c.bare().dy)))
    return found


def of_activation_unasked(c) -> list[Variant]:
    """An activation that nobody asked for, behind a layer that has none."""
    if c.tensor != "output" or c.part == WHOLE:
        return []
    from_zero = inside("activation-other", "a rectifier that nobody asked for",
                       lambda c: c.then(lambda r: r.clip(0.0, np.inf)))
    return [from_zero]
