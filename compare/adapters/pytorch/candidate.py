"""A PyTorch module as a network whose layers are its own, in the places of Keras's.

Each module becomes a wrapped layer whose forward and backward pass are PyTorch's, on the numbers
that it is handed. So every gate runs on it, with the bounds that are proved for that layer. What
merges several inputs, and what draws at random, is this project's own; that the module reads the
same is known from what it was seen to compute, and its output is compared as a whole.
"""


import numpy as np
import torch

from compare.adapters.activation import as_activation
from compare.adapters.assembly import activation_alone, inner_activation, stand_in
from compare.adapters.pytorch import dropping, leaving, notes, optimizer, placing, recording
from compare.adapters.pytorch.loading import Loading
from compare.adapters.pytorch.pairing import Pairing, Pairs, Place, flattened
from compare.adapters.pytorch.recording import Call
from compare.adapters.pytorch.whole import Whole, as_input
from compare.tracing.configs import compile_understood
from compare.tracing.layer_error import RAISED, sentence
from compare.tracing.model_kinds import kind
from compare.tracing.types import Network
from scratch.layers import AffineLayer, Dropout, Layer
from scratch.operations import Operation

SAMPLES = 2  # of the batch on which the module is watched


def candidate(network, twin) -> Network:
    """The scratch model that a module makes, with the twin's loss and optimizer.

    Args:
        network: a `TorchNetwork`.
        twin: a Keras model, a scratch model or a Trace of either.

    Raises:
        ValueError: for a module or a layer of Keras's that has no partner, by name; for weights of
            other sizes; for a module that cannot be run; for several inputs or outputs.
    """
    model, compiled = stand_in(twin, "PyTorch module")
    tied = [layer.name for layer in model.layers if layer.tied_to is not None]
    if tied:
        raise ValueError("Expected a Keras model that calls each layer once, beside a PyTorch "
                         f"module. Received: {', '.join(tied)}")
    made, channels_first = _recorded(network.module, model)
    places = _places(model)
    pairs = Pairing(places, made, network.names).run()
    images = flattened(made, places, pairs,
                       [model.layers[place.position].input_shape[1:] if not
                        model.layers[place.position].merges else () for place in places])
    if compiled:
        compile_understood(model, compiled)
    calls = _partners(pairs, made)
    placed = _place(model, places, calls, network.running_variance is not None)
    loading = Loading(network.module, model, weights=network.weights,
                      items=[(placed[i], made.calls[position].title, images[k])
                             for k, (place, position) in enumerate(zip(places, pairs.partners))
                             if (i := place.position) in placed and position is not None
                             and not place.inner])
    model.origin = Whole(model, loading, channels_first, places[-1], calls[-1],
                         notes.on_pairs(places, calls, model.layers)
                         + notes.on_running_variance(model.layers, network.running_variance))
    if network.optimizer is not None and compiled:
        model.optimizer = optimizer.as_optimizer(network.optimizer, model.optimizer)
        model.origin.said += optimizer.notes_on(network.optimizer)
    return model


def _recorded(module, model) -> tuple[recording.Recording, bool]:
    """(what the module was seen to compute, whether it takes channels first)."""
    drawn = np.random.default_rng(0).normal(size=(SAMPLES, *model.input_shape[1:]))
    dtype = next((p.dtype for p in module.parameters()), torch.float32)
    errors, left = [], ""
    for channels_first in (True, False) if drawn.ndim > 2 else (False,):
        turned = as_input(drawn, channels_first, dtype)
        try:
            return recording.recorded(module, turned), channels_first
        except RAISED as error:  # somebody's module may raise anything
            errors.append(f"of shape {tuple(turned.shape)} it raised {sentence(error)}")
            left = left or leaving.said_of(module, turned, model)
    raise ValueError(f"Expected a module that runs on inputs of Keras's shape, {model.input_shape}"
                     f", with the channels first. Received {type(module).__name__}: "
                     f"{'; '.join(errors[:1] if left else errors)}{left}")


def _places(model) -> list[Place]:
    """What of Keras's is to get a partner, in the order of computation."""
    places: list[Place] = []
    ends = {-1: -1}
    for i, (layer, sources) in enumerate(zip(model.layers, model.sources)):
        read = tuple(ends[source] for source in sources)
        shapes = {name: weight.shape for name, weight in layer.params.items()}
        inner = _inner(layer)
        softmax = layer.logits_kind == "softmax"
        places.append(Place(i, layer.name, kind(layer), read, shapes,
                            is_softmax=softmax and not inner))
        if inner:
            places.append(Place(i, layer.name, "Activation", (len(places) - 1,), inner=True,
                                is_softmax=softmax))
        ends[i] = len(places) - 1
    return places


def _inner(layer: Layer) -> str | None:
    if not isinstance(layer, AffineLayer):
        return None
    return inner_activation({"class_name": kind(layer), "config": layer.get_config()})


def _partners(pairs: Pairs, made: recording.Recording) -> list[Call | None]:
    """The calls that stand for the places; those that pad by themselves, where Keras has a layer
    for it, in two."""
    calls = [None if position is None else made.calls[position] for position in pairs.partners]
    for padding, behind in pairs.padded.items():
        call = calls[behind]
        if call is not None and call.module is not None:
            calls[padding], calls[behind] = placing.padding_of(call), placing.without_padding(call)
    return calls


def _place(model, places: list[Place], calls: list[Call | None], biased: bool
           ) -> dict[int, Layer]:
    """Put the module's layers in the places of the model's; returns them by position.

    Args:
        biased: whether running variances are to be shown as divided by n.
    """
    placed: dict[int, Layer] = {}
    for place, call in zip(places, calls):
        layer = model.layers[place.position]
        if call is not None and call.kind == "dropout" and isinstance(layer, Dropout):
            placed[place.position] = dropping.own(call, layer)
            continue
        if call is None or layer.merges or hasattr(layer, "active") or \
                isinstance(layer, Operation):
            continue
        if place.inner:
            alone = activation_alone(layer)
            inner = placing.conventions(call, alone, place.is_softmax).placed(
                {"class_name": kind(alone), "config": alone.get_config()})
            placed[place.position].activation = as_activation(  # type: ignore[attr-defined]
                inner, layer.activation.name, layer.activation.config)
            continue
        how = placing.conventions(call, layer, place.is_softmax, biased)
        if _inner(layer):
            how.activation = "apart"
        new = how.placed({"class_name": kind(layer), "config": layer.get_config()})
        new.name, new.dtype, new.trainable = layer.name, layer.dtype, layer.trainable
        new.build(layer.input_shape)
        for name, weight in layer.params.items():
            new.params[name][...] = weight
        placed[place.position] = new
    _replace(model, placed)
    return placed


def _replace(model, placed: dict[int, Layer]) -> None:
    instead = {id(model.layers[i]): layer for i, layer in placed.items()}
    model.layers = [instead.get(id(layer), layer) for layer in model.layers]
    model.calls = [call._replace(unit=instead.get(id(call.unit), call.unit))
                   for call in model.calls]

