"""A network of somebody's layers as its owner runs it: each is handed what the one before put out.

Layer by layer, numbers are turned at every border from the one's conventions to Keras's and on to
the other's. Two layers that are right by themselves may yet not fit together: a layer that flattens
channel by channel, before a dense layer with Keras's own kernel, which reads pixel by pixel. At
such a seam the turning hides a mistake. An owner who has permuted that kernel made none: so it is
the objects' own weights that count here, where they hold the network's.
"""

import copy
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from compare.adapters.activation import Inner
from compare.adapters.axis_order import AxisOrder
from compare.adapters.layer import Apart, Wrapped
from compare.tracing.layer_error import RAISED, sentence
from scratch.layers import ELU, AffineLayer, Dropout, Identity, LeakyReLU, ReLU

# Layers of scratch's own between wrapped ones, to which the order of axes is all the same.
ELEMENTWISE = (ReLU, LeakyReLU, ELU, Dropout, Identity)


@dataclass(frozen=True)
class Seam:
    """A border at which layer by layer something is turned.

    Attributes:
        position: of the layer behind it.
        before, after: the layers' names.
        flattened: (H, W, C) of the images that `before` flattens channel by channel; None where
            axes are turned.
    """

    position: int
    before: str
    after: str
    flattened: tuple[int, ...] | None

    def __str__(self) -> str:
        if self.flattened is None:
            return f"{self.before!r} hands on the axes in another order than {self.after!r} reads"
        return (f"{self.before!r} flattens its images {self.flattened} channel by channel, "
                f"{self.after!r} reads them pixel by pixel")


@dataclass
class Untouched:
    """What came of it.

    Attributes:
        output: the last layer's, as Keras lays it out; None if the layers did not run.
        seams: where something was not turned that is turned layer by layer.
        reason: why they did not run; '' where nothing stands against it that could be told.
        loaded: whether the objects hold the network's weights, and ran with these; else they ran
            with Keras's, of which it is not known how their owner would load them.
    """

    output: np.ndarray | None = None
    seams: list[Seam] = field(default_factory=list)
    reason: str = ""
    loaded: bool = True


def untouched(model, x: np.ndarray, turned: Collection[int] = ()) -> Untouched:
    """The candidate from end to end, at inference.

    It runs where every layer is somebody's, or computes each number by itself, and where all take
    batches alike; of two at least.

    Args:
        model: a scratch model, which stays as it is.
        turned: positions of layers before which the numbers are turned all the same.
    """
    if getattr(model, "origin", None) is not None:  # what is a whole by itself
        return model.origin.untouched(x, turned)
    found = Untouched()
    if not runs(model):
        return found
    model = copy.deepcopy(model)
    objects = loaded(model)
    found.loaded = objects is not None
    last, own = None, np.asarray(x, model.dtype)
    for i, layer in enumerate(model.layers):
        try:
            if not isinstance(layer, Wrapped):
                own = layer.forward(own, training=False)
                continue
            if last is None:
                own = np.array(layer.foreign.source.to_own(own), order="C")
            else:
                seam = seam_between(last, layer, own, i)
                if seam is not None:
                    found.seams.append(seam)
                if i in turned:
                    own = np.array(layer.foreign.source.to_own(last.foreign.target.to_keras(own)),
                                   order="C")
            own = _run(layer, own, objects and objects[i])
        except RAISED as error:  # somebody's layer may raise anything, of numbers in another order
            found.reason = f"layer {layer.name!r} raised {sentence(error)}"
            return found
        last = layer
    found.output = _in_keras(model, own)
    if found.output is None:
        found.reason = (f"its output is of shape {own.shape}, not "
                        f"{(len(x), *model.output_shape[1:])}")
    return found


def runs(model) -> bool:
    """Whether a model is a stack of somebody's layers that may be run one after the other."""
    wrapped = [layer for layer in model.layers if isinstance(layer, Wrapped)]
    stack = all(tuple(sources) == (i - 1,) for i, sources in enumerate(model.sources))
    alike = {(layer.how.batched, layer.how.batch_axis) for layer in wrapped}
    return (stack and len(wrapped) > 1 and len(alike) == 1
            and all(isinstance(layer, (Wrapped, *ELEMENTWISE)) for layer in model.layers)
            and not any("labels" in (layer.how.forward_takes or ()) for layer in wrapped))


def seam_between(before, after, own: np.ndarray, position: int) -> Seam | None:
    """The seam between two wrapped layers, None where nothing is turned.

    Args:
        own: the former's output, as it gave it.
    """
    places = np.arange(own.size).reshape(own.shape)
    try:
        there = after.foreign.source.to_own(before.foreign.target.to_keras(places))
    except ValueError:  # numbers that lie otherwise than was declared
        return None
    if there.shape == places.shape and np.array_equal(there, places):
        return None
    flattened = before.foreign.target.flattened
    return Seam(position, before.name, after.name,
                None if flattened is None else tuple(flattened))


def loaded(model) -> dict | None:
    """Copies of the objects as they were handed over, by the layers' positions; None if one of them
    does not hold the network's weights.

    A kernel may have its rows in the order in which a layer before it has flattened its images.
    """
    found = {}
    orders: list[AxisOrder] = []  # in which rows of numbers may have come
    for i, layer in enumerate(model.layers):
        if not isinstance(layer, Wrapped):
            continue
        found[i] = layer.how.own_object()
        for name, weight in layer.params.items():
            try:
                own = layer.foreign.weights.keras(
                    name, layer.foreign.weights.pull(found[i], name)).astype(layer.dtype)
            except RAISED:  # functions hold none; somebody's object may raise anything
                return None
            rows = [order.to_own(weight.T).T for order in orders
                    if name == "kernel" and weight.ndim == 2 and order.batch_axis == 0
                    and np.prod(order.flattened) == len(weight)]
            if not any(np.array_equal(own, each) for each in (weight, *rows)):
                return None
        if layer.foreign.target.flattened is not None:
            orders.append(layer.foreign.target)
    return found


def _run(layer, own: np.ndarray, obj=None) -> np.ndarray:
    """A wrapped layer's output for an input in its own conventions, with its activation.

    Args:
        obj: its object with weights of its own; None for a copy with Keras's.
    """
    y = layer.foreign.as_it_is(own, obj)
    if isinstance(layer, AffineLayer) and isinstance(layer, Apart):
        inner = getattr(layer.activation.function, "__self__", None)
        return (_run_inner(inner.layer, y) if isinstance(inner, Inner)
                else layer.activation.function(y))
    return y


def _run_inner(layer, y: np.ndarray) -> np.ndarray:
    """A wrapped activation inside a layer, on what that layer gave."""
    if not layer.built:
        layer.dtype = y.dtype
        layer.build((None, *y.shape[1:]))
    return _run(layer, y)


def _in_keras(model, own: np.ndarray) -> np.ndarray | None:
    """The output as Keras lays it out, None if it can be no such output.

    Layers that do not say in which order they have the axes have that of those before them.
    """
    wrapped = [layer for layer in model.layers if isinstance(layer, Wrapped)]
    shape = tuple(model.output_shape[1:])
    for layer in (wrapped[-1], *(each for each in reversed(wrapped)
                                 if each.how.data_format is not None)):
        target: AxisOrder = layer.foreign.target
        try:
            made = target.to_keras(own)
        except ValueError:
            continue
        if made.shape[1:] == shape and (layer.how.data_format is not None or len(shape) < 2):
            return made.astype(model.dtype)
    made = wrapped[-1].foreign.target.to_keras(own)
    return made.astype(model.dtype) if made.shape[1:] == shape else None
