"""Mistakes of layers that merge inputs, and of random layers, which multiply by what was drawn."""

import itertools

import numpy as np

from compare.diagnosis.hypotheses.rearrangement import negated
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.dot import Dot
from compare.oracle.layers.merging import Concatenate, Maximum, Subtract
from compare.oracle.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from compare.oracle.registry import LAYERS
from compare.oracle.running_error import Bounded


def of_merging(c) -> list[Variant]:
    """Another way of merging, inputs in another order, or a gradient for another input."""
    if not isinstance(c.x, tuple) or not c.tensor.startswith(("output", "input_gradient")):
        return []
    number = len(c.x)
    orders = [tuple(np.roll(range(number), k)) for k in range(1, number)]
    orders.append(tuple(range(number))[::-1])
    found = []
    for order in dict.fromkeys(orders):
        if c.tensor == "output":
            found.append(inside("inputs-swapped", f"in the order {order}", lambda c, o=order:
                                c.changed(x=tuple(c.x[i] for i in o))))
    if c.tensor == "output":
        for i in range(number):
            found.append(inside("inputs-swapped", f"input {i + 1} in every place", lambda c, i=i:
                                c.changed(x=(c.x[i],) * number)))
            for step, said in ((-1, "next one's"), (1, "one's before it")):
                found.append(inside("batch-mixed", f"of input {i + 1} each sample's is the {said}",
                                    lambda c, i=i, step=step: c.changed(x=tuple(
                                        np.roll(x, step, axis=0) if j == i else x
                                        for j, x in enumerate(c.x)))))
    own = int(c.tensor.rpartition("_")[2]) if c.tensor != "output" else 0
    for i in range(1, number + 1) if own else ():
        if i != own:
            found.append(inside("inputs-swapped", f"the gradient of input {i}", lambda c, i=i:
                                c.changed(tensor=f"input_gradient_{i}")))
    if isinstance(c.layer, Subtract) and own:
        found = negated() + found
    for name in sorted(name for name, oracle in LAYERS.items() if oracle.merges):
        if name != c.class_name:
            found.append(inside("merge-other", name, lambda c, n=name: c.changed(
                class_name=n, config={**c.config, "axis": c.config.get("axis", -1)})))
    for i in range(number):
        if c.tensor == "output":
            found.append(inside("merge-other", f"input {i + 1} alone",
                                lambda c, i=i: c.changed(own=lambda c: c.exact(c.x[i]))))
            if not isinstance(c.layer, Concatenate) and number > 2:
                found.append(inside("merge-other", f"without input {i + 1}", lambda c, i=i:
                                    c.changed(x=tuple(x for j, x in enumerate(c.x) if j != i))))
        elif own:
            found.append(inside("merge-other", f"the gradient times input {i + 1}", lambda c, i=i:
                                c.changed(own=lambda c: c.exact(c.dy) * c.exact(c.x[i]))))
    if own and isinstance(c.layer, Maximum):
        found += _ties(own - 1)
    if own:
        found.append(inside("merge-other", "the gradient as it comes",
                            lambda c: c.changed(own=lambda c: c.exact(c.dy))))
    if isinstance(c.layer, Concatenate) and c.tensor == "output":
        for axis in range(np.ndim(c.x[0])):
            found.append(inside("axis-other", f"along axis {axis}",
                                lambda c, a=axis: _joined_along(c, a)))
        found.append(inside("axes-permuted", "numbers of the inputs take turns",
                            lambda c: c.moved(lambda y: _in_turn(y, c))))
    if isinstance(c.layer, Concatenate) and own:
        axis = c.config.get("axis", -1)
        for step, said in ((1, "early"), (-1, "late")):
            found.append(inside("shifted", f"the gradient is cut one number too {said}",
                                lambda c, s=step: c.changed(dy=np.roll(c.dy, s, axis=axis))))
        found += _other_cuts(c, axis, own - 1)
    if isinstance(c.layer, Dot):
        found += _other_axes(c)
    return found


def _joined_along(c, axis: int):
    """Joined along another axis, in the shape that the output should have."""
    shape, other = c.evaluate().shape, c.configured(axis=axis)
    return other.moved(lambda y: y.reshape(shape) if y.size == np.prod(shape) else y)


def _other_cuts(c, axis: int, own: int) -> list[Variant]:
    """The gradient cut as if the inputs stood in another order."""
    lengths = [np.shape(x)[axis] for x in c.x]
    found = []
    for order in itertools.islice(itertools.permutations(range(len(lengths))), 24):
        start = sum(lengths[i] for i in order[:order.index(own)])
        if start != sum(lengths[:own]):
            found.append(inside("inputs-swapped", f"cut as if in the order {order}",
                                lambda c, start=start: c.changed(own=lambda c: c.exact(np.take(
                                    c.dy, range(start, start + lengths[own]), axis=axis)))))
    return found


def _in_turn(joined: np.ndarray, c) -> np.ndarray:
    """The first number of each input, the second of each, and so on, as far as they go."""
    axis = c.config.get("axis", -1)
    starts = np.cumsum([0, *[np.shape(x)[axis] for x in c.x]])
    places = [(k, i, start + k) for i, (start, x) in enumerate(zip(starts, c.x))
              for k in range(np.shape(x)[axis])]
    return np.take(joined, [place for *_, place in sorted(places)], axis=axis)


def _other_axes(c) -> list[Variant]:
    """Products along other axes than those that are named."""
    ranks = [np.ndim(x) for x in c.x]
    return [inside("axes-permuted", f"products along the axes {(a, b)}",
                   lambda c, pair=(a, b): c.configured(axes=pair))
            for a in range(1, ranks[0]) for b in range(1, ranks[1])]


def _ties(i: int) -> list[Variant]:
    """Who gets the gradient where several inputs are the largest."""
    def share(c, rule):
        x = np.stack(np.broadcast_arrays(*c.x)) * c.layer.sign
        tied = x == x.max(axis=0)
        if rule == "last":
            last = len(x) - 1 - tied[::-1].argmax(axis=0)
            return (last == i).astype(float)
        alone = tied[i] if rule != "none" else tied[i] & (tied.sum(axis=0) == 1)
        return alone / tied.sum(axis=0) if rule == "shared" else alone.astype(float)

    def change(c, rule):
        if np.shape(c.x[i]) != np.shape(c.dy):
            raise ValueError("Expected inputs that are not stretched. Received: others")
        return c.changed(own=lambda c: c.exact(c.dy) * share(c, rule))

    said = {"last": "the last of them gets all of it", "each": "each of them gets all of it",
            "shared": "all of them share it equally", "none": "none of them gets any"}
    return [inside("pool-ties", text, lambda c, r=rule: change(c, r))
            for rule, text in said.items()]


def of_noise(c) -> list[Variant]:
    """A dropout's mask missing or inverted; noise that is added twice, or taken away."""
    if not c.training and c.tensor == "output" and isinstance(c.layer, Dropout) \
            and not isinstance(c.layer, AlphaDropout):
        return [Variant("training-flag", "it drops at inference, too", _dropping)]
    gaussian = isinstance(c.layer, GaussianNoise)
    multiplied = isinstance(c.layer, (Dropout, GaussianDropout))
    if not (gaussian or multiplied) or "noise" not in c.weights:
        return []
    none = {name: w for name, w in c.weights.items() if name != "noise"}
    found = [inside("mask-missing", "no noise", lambda c: c.changed(weights=none))]
    if isinstance(c.layer, GaussianDropout):
        found.append(inside("mask-wrong-tensor", "the noise is added",
                            lambda c: c.changed(class_name="GaussianNoise")))
    if isinstance(c.layer, AlphaDropout):
        found.append(inside("mask-wrong-tensor", "as a plain dropout's",
                            lambda c: c.changed(class_name="Dropout")))
        found.append(inside("mask-missing", "nothing is dropped", lambda c: c.weighing(
            noise=np.ones_like(c.weights["noise"]))))
    if gaussian:
        return found + [inside("sign", "the noise is taken away",
                               lambda c: c.weighing(noise=-c.weights["noise"])),
                        inside("scale", "the noise is added twice",
                               lambda c: c.weighing(noise=2 * c.weights["noise"])),
                        inside("mask-wrong-tensor", "multiplied by the noise",
                               lambda c: c.changed(class_name="Dropout"))]
    return found + [inside("mask-inverted", "what should be dropped stays",
                           lambda c: c.weighing(noise=_turned(c))),
                    inside("mask-inverted", "what should be dropped stays, unscaled", lambda c:
                           c.weighing(noise=(c.weights["noise"] == 0).astype(np.float64))),
                    inside("mask-wrong-tensor", "another sample's",
                           lambda c: c.weighing(noise=np.roll(c.weights["noise"], 1, axis=0))),
                    inside("scale", "the mask is applied twice", lambda c: c.weighing(
                        noise=Bounded(np.square(c.weights["noise"], dtype=np.float64), c.rounding,
                                      c.rounding.unit * np.square(c.weights["noise"]))))]


def _dropping(c, made):
    """In training, with that dropped which came out as 0."""
    kept = 1 / (1 - c.layer.rate) if c.layer.rate < 1 else 0.0
    return c.changed(training=True).weighing(noise=np.where(made == 0, 0.0, kept))


def _turned(c) -> np.ndarray:
    noise = c.weights["noise"]
    return np.where(noise == 0, noise.max(), 0).astype(noise.dtype)
