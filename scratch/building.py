"""What it takes to build a network: one precision, the sizes of its inputs, its layers' weights."""

from typing import Any

import numpy as np

from scratch import initializers, precision, side_by_side
from scratch.errors import UnsupportedError
from scratch.layers import Input, Layer
from scratch.layers.unknown_sizes import STAND_INS, filled, has_unknown, worked_out
from scratch.nesting import Call
from scratch.operations.operation import Operation
from scratch.several import Structure
from scratch.weights import HoldsWeights

MOST_SIDE_BY_SIDE = 2 ** 22  # numbers


class Building(HoldsWeights):
    """The part of `Network` that gets it ready; its attributes are told there."""

    inputs: list[Input]
    calls: list[Call]
    layers: list[Layer]
    sources: list[tuple[int, ...]]
    ends: list[int]
    inputs_as: Structure | None
    outputs_as: Structure | None
    requested_policy: precision.Policy | None
    sizes: list[tuple] | None
    built: bool
    name: str
    optimizer: Any
    input_shape: Any

    @property
    def units(self) -> list:
        """The layers and models that are called."""
        raise NotImplementedError

    def _write_out(self) -> None:
        """Make `layers`, `sources` and `ends` of `calls`."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        """The shape of the output for inputs of that shape; builds the model if it is not built.

        Of several inputs a list of shapes, and of several outputs likewise.

        Raises:
            ValueError: if the model is built for others, or a layer cannot take such inputs.
        """
        if not self.built:
            self.build(tuple(input_shape))
        if not self.takes(input_shape):
            raise ValueError(f"{self}: expected inputs of shape {self.input_shape}. "
                             f"Received: {input_shape}")
        shapes = self.layer_shapes(input_shape)
        made = [shapes[end] for end in self.ends]
        return made[0] if self.outputs_as is None else made

    def takes(self, shape) -> bool:
        """Whether inputs may have that shape, of several these, whatever the size of the batch."""
        shapes = self._each_shape(shape)
        return len(shapes) == len(self.inputs) and all(
            len(own.shape) == len(given) and all(n in (None, m)
                                                 for n, m in zip(own.shape[1:], given[1:]))
            for own, given in zip(self.inputs, shapes))

    def _each_shape(self, shape) -> list[tuple]:
        """The shape of each input."""
        if self.inputs_as is None:
            return [tuple(shape)]
        return list(map(tuple, self.inputs_as.flat(shape)))

    def layer_shapes(self, input_shape) -> list[tuple]:
        """The shape of each layer's output for inputs of that shape, in which sizes may be open."""
        shapes: list[Any] = [*self.layers, *reversed(self._each_shape(input_shape))]
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [shapes[source] for source in sources]
            shapes[i] = worked_out(layer.whole_output_shape, read if layer.merges else read[0])
        return shapes[:len(self.layers)]

    @property
    def requested_dtype(self) -> np.dtype | None:
        """The dtype of the arrays that the model asks for; None where it leaves that to layers."""
        return None if self.requested_policy is None else self.requested_policy.held

    @property
    def policy(self) -> precision.Policy:
        """The precision of those layers that ask for none of their own."""
        return self.requested_policy or precision.Policy(self.dtype.name)

    @property
    def low(self) -> bool:
        """Whether a layer computes in float16 or bfloat16."""
        return any([layer.policy.low for layer in self.layers])

    @property
    def dtype(self) -> np.dtype:
        """The one precision: the model's, or else the layers', or else that of its inputs, or else
        float32.

        That of arrays, for float16 and bfloat16 are held in float32. An input of another precision
        is rounded to it, and then cast to the layers', as in Keras.
        """
        requested = _requested(self._owners()) or _requested(self.inputs)
        if len(requested) > 1:
            a, b = list(requested.items())[:2]
            raise UnsupportedError(
                f"Model {self.name!r}: expected one precision for all layers. Received: "
                f"{a[0].name} from {a[1]} and {b[0].name} from {b[1]}.")
        return next(iter(requested), np.dtype("float32"))

    def _owners(self):
        """Who asks for a precision, besides the network's own inputs. Those of a network inside
        count: Keras rounds to them what the layers before have made."""
        yield self
        for unit in self.units:
            yield from (*unit.inputs, *unit._owners()) if isinstance(unit, Building) else [unit]

    def build(self, input_shape) -> None:
        """Make the weights of every layer that has none yet, for inputs (None, ...).

        Sizes that are open are those of the next batch; meanwhile a stand-in takes their place.

        Raises:
            ValueError: if the model has no layers, or if one cannot take such inputs, or inputs of
                any size.
        """
        shapes = self._each_shape(input_shape)
        if not any(map(has_unknown, shapes)):
            self._build_for(shapes)
            return
        one, other = ([filled(shape, size) for shape in shapes] for size in STAND_INS)
        self._build_for(one)
        for each_filled in (other, one):
            self._take_sizes(each_filled)

    def take_sizes(self, shape) -> None:
        """Be ready for inputs of that shape, where the model's own leaves sizes open.

        Raises:
            ValueError: if a layer cannot take them.
        """
        self._take_sizes(self._each_shape(shape))

    def _take_sizes(self, given: list[tuple]) -> None:
        sizes = [tuple(shape[1:]) for shape in given]
        if sizes == self.sizes:
            return
        self.sizes = None  # nothing is certain if a layer refuses
        # the last places, -1 - k: the model's inputs
        shapes: list[Any] = [*self.layers, *((None, *each_size) for each_size in reversed(sizes))]
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [shapes[source] for source in sources]
            shape = read if layer.merges else read[0]
            if not layer.fits(shape):
                layer.take_inputs(shape)
            shapes[i] = layer.output_shape
        self.sizes = sizes

    def _build_for(self, input_shapes: list[tuple]) -> None:
        """Build for inputs all of whose sizes are known."""
        dtype, policy = self.dtype, self.policy
        self._build_models(input_shapes, policy)
        new = [layer for layer in self.layers if not layer.built]
        self.sizes = [shape[1:] for shape in input_shapes]
        shapes: list[Any] = [*self.layers, *reversed(input_shapes)]  # -1 - k: the model's inputs
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [shapes[source] for source in sources]
            own = self._read_in(sources, policy) if isinstance(layer, Operation) else policy
            self._build_layer(layer, read if layer.merges else read[0], dtype, own)
            shapes[i] = layer.output_shape
        self._require_proved()
        self.built = True
        self._lay_side_by_side(new)

    def set_weights(self, weights) -> None:
        undrawn = [layer for layer in self.layers
                   if any(map(initializers.is_undrawn, layer.params.values()))]
        super().set_weights(weights)
        self._lay_side_by_side(undrawn)

    def _lay_side_by_side(self, layers: list[Layer]) -> None:
        """Put the weights of layers, which may be trained and were made just now, into one vector,
        unless the model has many: then calls cost little. Others may be known to an optimizer, and
        those of a class that is not one of ours to its objects."""
        if sum(layer.params[name].size for layer, name in self._held()) > MOST_SIDE_BY_SIDE:
            return
        loose = [(layer, name) for layer in layers for name, weight in layer.params.items()
                 if layer.tied_to is None and type(layer).__module__.startswith("scratch.")
                 and name not in layer.non_trainable
                 and not initializers.is_undrawn(weight) and not side_by_side.has_place(weight)]
        together = side_by_side.copies([layer.params[name] for layer, name in loose])
        for (layer, name), weight in zip(loose, together):
            layer.params[name] = weight

    def _build_models(self, input_shapes: list[tuple], policy: precision.Policy) -> None:
        """Build the models in this one that are not built yet, and write all out again."""
        waiting = [unit for unit in self.units if isinstance(unit, Building) and not unit.built]
        if not waiting:
            return
        for unit in waiting:
            unit.requested_policy = unit.requested_policy or policy
        made: dict[tuple[int, int], tuple] = {(-1 - k, 0): shape
                                              for k, shape in enumerate(input_shapes)}
        for i, call in enumerate(self.calls):
            read = [made[each_read] for each_read in call.read]
            shapes = call.unit.compute_output_shape(read if call.unit.called_on_list else read[0])
            for place, shape in enumerate(shapes if isinstance(shapes, list) else [shapes]):
                made[i, place] = shape
        self._write_out()

    def _build_layer(self, layer: Layer, shape, dtype: np.dtype,
                     policy: precision.Policy) -> None:
        """Make a layer's weights, or check that those it has are for such inputs.

        Raises:
            ValueError: if it cannot take them, or was built for others.
        """
        if not layer.built:
            if layer.requested_policy is None:
                layer.take_policy(policy)
            layer.dtype = dtype
            if layer.tied_to is None:
                layer.build(shape)
            else:
                layer.take_inputs(shape)
        elif not layer.fits(shape) and all(layer is not unit for unit in self.units):
            layer.take_inputs(shape)  # another call, for inputs of another size
        if not layer.fits(shape) or layer.dtype != dtype:
            raise ValueError(f"{layer} is built for inputs {layer.input_shape} of {layer.dtype}"
                             f". Received: {shape} of {dtype}")

    def _read_in(self, sources: tuple[int, ...], policy: precision.Policy) -> precision.Policy:
        """What an operation computes in, which casts nothing: the low precision of all that it
        reads, or else, as Keras promotes them, the wider one."""
        read = {self._made_in(source) for source in sources}
        low = read.pop() if len(read) == 1 else ""
        return precision.Policy(low if low in precision.LOW else policy.held.name)

    def _made_in(self, source: int) -> str:
        """The precision of a layer's output, or of an input, which is -1 - k."""
        if source >= 0:
            return self.layers[source].policy.compute
        given = self.inputs[-1 - source].requested_policy
        return self.policy.held.name if given is None else given.compute

    def _require_proved(self) -> None:
        """Raises an UnsupportedError where Keras would compute in float16 or bfloat16 what is not
        proved: penalties and limits of weights that are kept in it, penalties on such outputs, and
        layers that cast nothing and read another precision than their own."""
        for layer, sources in zip(self.layers, self.sources):
            kept = layer.policy.variable in precision.LOW
            what = ("a regularizer" if kept and layer.regularizers else
                    "a constraint" if kept and layer.constraints else
                    "an activity_regularizer" if layer.policy.low and layer.activity_regularizer
                    else "")
            if what:
                raise UnsupportedError(f"{layer} does not support {what} with dtype="
                                       f"{layer.policy.name!r}: what Keras computes in "
                                       f"{layer.policy.compute} is not proved for it.")
            read = {self._made_in(source) for source in sources} - {layer.policy.compute}
            if not layer.casts_inputs and read and (layer.policy.low or read & {*precision.LOW}):
                raise UnsupportedError(f"{layer} computes in {layer.policy.compute} without a cast "
                                       f"of what it reads. Expected: that precision. Received: "
                                       f"{', '.join(sorted(read))}")


def _requested(owners) -> dict:
    """Who asks for a precision, by that precision."""
    return {owner.requested_dtype: owner for owner in owners if owner.requested_dtype is not None}
