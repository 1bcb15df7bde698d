"""A JAX function as a network whose layers are its own, in the places of Keras's.

Its steps are cut where Keras's layers end, as the pairing found them. Each piece becomes a wrapped
layer whose forward pass is JAX's own and whose backward pass is `jax.vjp` of it. So every gate runs
on it, with the bounds that are proved for that layer; and by the chain rule the pieces together
give the gradients of the whole.
"""

import copy
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from compare.adapters.activation import as_activation
from compare.adapters.assembly import activation_alone, stand_in
from compare.adapters.conventions import Conventions
from compare.adapters.layer import AtInference
from compare.adapters.untouched import Seam, Untouched
from compare.runtimes.graph import Ran
from compare.runtimes.jax_functions.layer import JaxLayer, gradient_place, named, place
from compare.runtimes.jax_functions.program import Program, as_taken
from compare.runtimes.jax_functions.weights import Stored
from compare.runtimes.reading import said
from compare.tracing.configs import compile_understood
from compare.tracing.layer_error import RAISED, sentence
from compare.tracing.model_kinds import kind
from compare.tracing.recorder import record
from compare.tracing.trace import Trace, layer_parts
from compare.tracing.types import Network
from scratch.operations import Operation

SAMPLES = 8  # of the batch on which the function is watched
DRAWS = 4  # of weights: by chance all that an activation reads may be positive
Weights = dict[tuple[str, str], np.ndarray]


def candidate(network: Any, twin: Any) -> Network:
    """The scratch model that a function makes, with the twin's loss and optimizer.

    Args:
        network: a `JaxFunction`.
        twin: a Keras model, a scratch model or a Trace of either.

    Raises:
        ValueError: for a weight or a layer that has no partner, by name; for a function that
            cannot be run; for several inputs or outputs.
    """
    model, compiled = stand_in(twin, "JAX function")
    if model.layers[0].dtype != np.float32:
        raise ValueError("Expected a model in float32 beside a JAX function. "
                         f"Received one in {model.layers[0].dtype}")
    watched = Watched(network, model)
    if compiled:
        compile_understood(model, compiled)
    instead = {}
    for i, layer in enumerate(model.layers):
        if not (layer.merges or hasattr(layer, "active") or isinstance(layer, Operation)):
            instead[id(layer)] = watched.placed(i, layer)
    left = [layer.name for layer in model.layers if id(layer) not in instead]
    model.layers = [instead.get(id(layer), layer) for layer in model.layers]
    model.calls = [call._replace(unit=instead.get(id(call.unit), call.unit))
                   for call in model.calls]
    model.origin = Whole(model, watched, left)
    return model


class Watched:
    """A function that was run once beside a model, both with weights drawn for the purpose: of
    biases that are all zero nobody sees where they are added, nor a ReLU of what is positive.

    Attributes:
        params: with the weights that are compared.
        copied: whether these are Keras's, put there.
        seams: of its own dense kernels, those whose rows are in Keras's order and should not be.
        notes: on who stands for whom.
    """

    def __init__(self, network: Any, model: Any):
        self.network, self.model = network, model
        keras = by_layer(model)
        self.program, self.first = network.program(np.zeros(
            (SAMPLES, *model.input_shape[1:]), np.float32))
        self.programs = {SAMPLES: self.program}
        where = network.mapped(self.program, keras)
        self.copied = not network.holds(where, self.program, keras)
        for seed in range(DRAWS):
            ran, lost = self._paired(where, seed)
            if not lost:
                break
        else:
            raise ValueError("Expected something in the function that stands for each of Keras's "
                             f"layers alone. Received none for {', '.join(lost)}")
        self.seams: list[Seam] = []
        self.right = network.with_weights(self.where, self.program, keras)
        self.params = self.right if self.copied else self._own(keras)
        self.notes = said(ran, self.trace, self.pairs)
        self.values = {self.program.name_of(made): made for step in self.program.steps
                       for made in step.makes} | {self.program.name_of(self.program.x):
                                                  self.program.x}

    def _paired(self, where: dict[tuple[str, str], Stored], seed: int) -> tuple[Ran, list[str]]:
        """(what the function computed of drawn numbers, the layers of which it has nothing)."""
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(SAMPLES, *self.model.input_shape[1:])).astype(np.float32)
        drawn = copy.deepcopy(self.model)
        for (_, name), weight in by_layer(drawn).items():
            sign = 1 if "variance" in name else rng.choice([-1, 1], weight.shape)
            weight[...] = sign * rng.uniform(0.2, 0.8, weight.shape)
        self.trace: Trace = record(drawn, x, gradients=False)  # activations inside layers apart
        self.positions = layer_parts(self.trace)
        ran, self.pairs, self.where = self.network.paired(self.trace, where, by_layer(drawn))
        found = self.pairs.arrays
        return ran, list(dict.fromkeys([*(part.name for part in self.trace.parts
                                          if part.name not in found), *self.pairs.without]))

    def _own(self, keras: Weights) -> Any:
        """The function's own params; the model's layers get them, too."""
        values = self.program.held(self.network.params)
        layers = {layer.name: (i, layer) for i, layer in enumerate(self.model.layers)}
        for (name, weight), at in self.where.items():
            own = np.asarray(values[at.value])
            i, layer = layers[name]
            straight = replace(at, images=None).to_own(keras[name, weight])
            if at.images is not None and np.array_equal(own, straight) and \
                    not np.array_equal(own, at.to_own(keras[name, weight])):
                before = self.trace.parts[self.trace.sources[self.positions[i][0]][0]].layer
                self.seams.append(Seam(i, before, name, at.images))
                continue
            layer.params[weight][...] = at.to_keras(own)
        return self.network.params

    def placed(self, i: int, layer: Any) -> Any:
        """The wrapped layer in the place of one of the model's."""
        outer, *inner = self.positions[i]
        new = self._placed(outer, layer, layer.params, "apart" if inner else "inside")
        for position in inner:
            alone = activation_alone(layer)
            new.activation = as_activation(self._placed(position, alone, {}, "inside"),
                                           layer.activation.name, layer.activation.config)
        return new

    def _placed(self, position: int, layer: Any, params: Any, activation: str) -> Any:
        part = self.trace.parts[position]
        weights = {name: self.where[part.layer, name] for name in params}
        held = self.program.held(self.right)
        piece = Piece(self, position, {at.value: name for name, at in weights.items()})
        made = named(JaxLayer(piece, {name: np.asarray(held[at.value])
                                      for name, at in weights.items()}, self.network.title))
        trained = [name for name in weights if name not in layer.non_trainable]
        how = Conventions(
            made, forward_takes=("x",), data_format=getattr(layer, "data_format", None),
            weights={name: place(name, at.to_keras, at.to_own) for name, at in weights.items()},
            activation=activation,
            gradients={name: gradient_place(name, weights[name].to_keras) for name in trained})
        form = AtInference if kind(layer) == "BatchNormalization" else None
        new = how.placed({"class_name": kind(layer), "config": layer.get_config()}, form=form)
        new.name, new.dtype, new.trainable = layer.name, layer.dtype, layer.trainable
        new.build(layer.input_shape)
        for name, weight in params.items():
            new.params[name][...] = weight
        return new

    def program_for(self, batch: int) -> Program:
        """The function's steps for that many samples."""
        if batch not in self.programs:
            shape = as_taken(np.zeros((batch, *self.model.input_shape[1:])), self.first).shape
            made = Program(self.network.function, self.network.params, shape, np.float32)
            if [step.op for step in made.steps] != [step.op for step in self.program.steps]:
                raise ValueError(f"expected a function that takes the same steps whatever the "
                                 f"batch. Of {batch} samples it takes others than of {SAMPLES}")
            self.programs[batch] = made
        return self.programs[batch]


class Piece:
    """The steps of one layer, as a function of (weights, x), both of them in the function's own
    order of axes but for x and the result, which are in Keras's."""

    def __init__(self, watched: Watched, i: int, names: dict[int, str]):
        self.watched, self.names = watched, names
        pairs, trace = watched.pairs, watched.trace
        source = trace.sources[i][0]
        self.source = watched.program.x if source < 0 else \
            watched.values[pairs.tensors[trace.parts[source].name]]
        self.target = watched.values[pairs.tensors[trace.parts[i].name]]
        self.reads = ("channels first" if watched.first else "") if source < 0 else \
            pairs.turned.get(trace.parts[source].name, "")
        self.gives = pairs.turned.get(trace.parts[i].name, "")
        self.images = trace.parts[i].inputs[0].shape[1:]
        self.before = trace.parts[source].inputs[0].shape[1:] if source >= 0 else ()
        steps, begins = watched.program.needed(self.target, {self.source})
        more = [path for path, value in watched.program.leaves.items()
                if value in begins and value not in names and value != watched.program.x]
        if more or watched.program.x in begins:
            raise ValueError(f"Expected {trace.parts[i].name!r} to be computed from what it reads "
                             f"in Keras. Received {', '.join(more) or 'the batch'} besides")

    def __deepcopy__(self, memo):
        return self  # nothing in it changes

    def __call__(self, weights: dict[str, Any], x: Any) -> Any:
        program = self.watched.program_for(len(x))
        steps, _ = program.needed(self.target, {self.source})
        values = {self.source: own_order(x, self.reads, self.before),
                  **{value: weights[name] for value, name in self.names.items()}}
        y = program.evaluate(steps, values)[self.target]
        return keras_order(y, self.gives, self.images)


def by_layer(model: Any) -> Weights:
    """A model's weights by layer and name."""
    return {(layer.name, name): weight for layer in model.layers
            for name, weight in layer.params.items()}


def own_order(x: Any, how: str, images: tuple[int, ...]) -> Any:
    """An array in Keras's order of axes as the function has it there."""
    if how.startswith("channels first"):
        return jax.numpy.moveaxis(x, -1, 1)
    if how.startswith("channels last"):
        return jax.numpy.moveaxis(x, 1, -1)
    if how:
        return jax.numpy.moveaxis(x.reshape(len(x), *images), -1, 1).reshape(len(x), -1)
    return x


def keras_order(y: Any, how: str, images: tuple[int, ...]) -> Any:
    """The other way round."""
    if how.startswith("channels first"):
        return jax.numpy.moveaxis(y, 1, -1)
    if how.startswith("channels last"):
        return jax.numpy.moveaxis(y, -1, 1)
    if how:
        own = y.reshape(len(y), images[-1], *images[:-1])
        return jax.numpy.moveaxis(own, 1, -1).reshape(len(y), -1)
    return y


class Whole:
    """The function as its owner runs it, from end to end.

    Args:
        left: names of layers that stayed this project's own.
    """

    def __init__(self, model: Any, watched: Watched, left: list[str]):
        self.watched, self.left = watched, left
        self.shape = tuple(model.output_shape[1:])

    def __deepcopy__(self, memo):
        return self  # nothing in it changes

    @property
    def notes(self) -> list[str]:
        """Sentences for the report."""
        made = ["Keras's weights were copied into the params of the JAX function."
                if self.watched.copied else "The JAX function is compared with its own params.",
                *self.watched.notes]
        if self.left:
            made.append("Computed by this project and not by JAX, but for the whole network at "
                        f"inference: {', '.join(self.left)}.")
        norms = [layer.name for layer in self.watched.model.layers
                 if kind(layer) == "BatchNormalization"]
        if norms:
            made.append("Such a function knows one mode: it is judged at inference, and in "
                        f"training this project computes {', '.join(norms)}.")
        return made

    def untouched(self, x: np.ndarray, turned=()) -> Untouched:
        """What the function makes of a batch of Keras's.

        Args:
            turned: positions of dense layers whose kernels' rows are permuted first.
        """
        watched = self.watched
        found = Untouched(seams=list(watched.seams))
        params = watched.right if turned else watched.params
        try:
            y = np.asarray(watched.network.function(params, as_taken(x, watched.first)))
        except RAISED as error:  # somebody's function may raise anything
            found.reason = f"the function raised {sentence(error)}"
            return found
        last = watched.trace.parts[-1]
        y = np.asarray(keras_order(y, watched.pairs.turned.get(last.name, ""),
                                   last.inputs[0].shape[1:]))
        if y.shape[1:] != self.shape:
            found.reason = f"its output is of shape {y.shape}, not {(len(x), *self.shape)}"
            return found
        found.output = np.array(y, x.dtype)
        return found
