"""States that a recurrent layer begins with and puts out, as arguments and as further outputs."""

from typing import Any

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers import symbolic
from scratch.layers.one_output import OneOutput
from scratch.several import Structure


class HandsStates:
    """Called on initial states beside its input, and puts out its last ones beside its output.

    A subclass says how wide its states are, `state_widths`, and of what shapes its outputs are
    without them, `shapes_of_outputs`. Where there are several outputs, `forward` gives them side
    by side, see `OneOutput`, and `backward` takes their gradients so.
    """

    name: Any
    input_shape: Any
    merges: bool
    _carried: list[np.ndarray]  # one list for all calls of the layer
    return_state = stateful = False
    carries = True  # whether a stateful layer goes on from its last states; False: from zeros
    batch_size: int | None = None  # of a stateful layer
    own_inputs = 1  # with the initial states; a mask is none of them
    number_of_outputs = 1  # without states
    _graph_inputs: int | None = None  # the same, of the calls in a graph

    def __call__(self, inputs, training=False, initial_state=None):
        """As of every layer.

        Args:
            initial_state: the states before the first step, in the order in which `return_state`
                puts them out, a list, or one array of a layer that has one; None for zeros.

        Raises:
            ValueError: for another number of states, or other shapes.
            UnsupportedError: if another call of the layer in a graph said otherwise.
        """
        if self.stateful and self.input_shape is None and not symbolic.is_symbolic(inputs):
            self.batch_size = len(inputs)
        states = [] if initial_state is None else (
            list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state])
        if states and len(states) != len(self.state_widths):
            raise ValueError(f"{self}: expected initial_state to be {len(self.state_widths)} "
                             f"arrays. Received: {len(states)}")
        in_graph = symbolic.is_symbolic([inputs, *states])
        self._take_states(len(states), in_graph)
        made = super().__call__([inputs, *states] if states else inputs, training)
        return made if in_graph or self.outputs_as is None else self.handed_out(made)

    def _take_states(self, count: int, in_graph: bool) -> None:
        """Read so many initial states from now on.

        Raises:
            UnsupportedError: for another number than at a call in a graph.
        """
        if self._graph_inputs not in (None, 1 + count):
            raise UnsupportedError(f"{self} does not support a call with {count} initial states "
                                   f"beside one with {self._graph_inputs - 1}. Expected the same "
                                   "at all calls.")
        if in_graph:
            self._graph_inputs = 1 + count
        if self.own_inputs != 1 + count:
            self.read_states(count)

    def take_batch_size(self, input_shape) -> None:
        """Keep the size of a stateful layer's batches.

        Raises:
            ValueError: if it is not known.
        """
        self.batch_size = of_input(input_shape)[0] or self.batch_size
        if self.stateful and self.batch_size is None:
            raise ValueError(f"{self}: expected inputs of a batch size that is known, as its states"
                             " go on from batch to batch: Input(shape, batch_size=...). Received: "
                             f"input_shape={tuple(of_input(input_shape))}")

    def reset_states(self) -> None:
        """Begin the next batch of a stateful layer with zeros."""
        self._carried.clear()

    reset_state = reset_states  # Keras's other name

    def carried(self, samples: int) -> list[np.ndarray]:
        """The states with which a stateful layer goes on; none where there are none yet.

        Raises:
            ValueError: for a batch of another size.
        """
        if not (self.stateful and self.carries):
            return []
        if samples != self.batch_size:
            raise ValueError(f"{self}: expected batches of {self.batch_size} samples, as its states"
                             f" go on from batch to batch. Received: one of {samples}")
        return self._carried

    def carry(self, states: list[np.ndarray]) -> None:
        """Keep the last states of a batch, if the next one begins with them."""
        if self.stateful and self.carries:
            self._carried[:] = [state.copy() for state in states]

    def read_states(self, count: int) -> None:
        """Be handed so many initial states behind the input, as one list."""
        built = self.input_shape is not None
        self.own_inputs, self.merges = 1 + count, count > 0
        if built:
            shape = of_input(self.input_shape)
            states = [(None, width) for width in self.state_widths[:count]]
            self.input_shape = [shape, *states] if states else shape

    @property
    def state_widths(self) -> list[int]:
        """How many numbers each state of a sample has, in Keras's order."""
        raise NotImplementedError

    def shapes_of_outputs(self, input_shape: tuple) -> list[tuple]:
        """Of the outputs without states, for one input of that shape."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        """A shape; of several outputs a list, states last."""
        if isinstance(input_shape, list):
            self._require_states(input_shape[1:self.own_inputs])
        shape = of_input(input_shape)
        made = self.shapes_of_outputs(tuple(shape))
        if self.return_state:
            made = [*made, *((shape[0], width) for width in self.state_widths)]
        return made if len(made) > 1 else made[0]

    def _require_states(self, shapes: list) -> None:
        for shape, width in zip(shapes, self.state_widths):
            if len(shape) != 2 or shape[1] != width:
                raise ValueError(f"{self}: expected initial states of shapes "
                                 f"{[(None, each) for each in self.state_widths]}. "
                                 f"Received: {[tuple(each) for each in shapes]}")

    @property
    def outputs_as(self) -> Any:
        """The form in which several outputs are handed out, a tuple; None for a single one."""
        count = self.number_of_outputs + self.return_state * len(self.state_widths)
        return None if count == 1 else Structure(tuple(range(count)), "output", self)

    def one_output(self, place: int) -> OneOutput:
        """What takes an output out of all of them, by its place among them; the same at every
        asking."""
        parts = vars(self).setdefault("_parts_of_output", {})
        if place not in parts:
            parts[place] = OneOutput(**self.config_of_output(place))
        parts[place].name = f"{self.name}[{place}]"
        return parts[place]

    def config_of_output(self, place: int) -> dict:
        """Where that output lies among all."""
        widths, count = self.state_widths if self.return_state else [], self.number_of_outputs
        if place >= count:
            return {"start": sum(widths[:place - count]), "units": widths[place - count]}
        return {"start": sum(widths), "units": self.width_of_output(place),
                "share": (place, count), "return_sequences": self.returns_sequences}

    def width_of_output(self, place: int) -> int:
        """How many numbers a step's output has."""
        raise NotImplementedError

    @property
    def returns_sequences(self) -> bool:
        """Whether its outputs are sequences."""
        raise NotImplementedError

    def handed_out(self, made: np.ndarray) -> tuple:
        """All outputs, given them side by side."""
        return tuple(OneOutput(**self.config_of_output(place)).forward(made)
                     for place in range(self.outputs_as.count))

    def side_by_side(self, outputs: list, states: list) -> np.ndarray:
        """(N, numbers) of all outputs, or the output alone if it is the only one."""
        if self.outputs_as is None:
            return outputs[0]
        parts = [*(states if self.return_state else ()), *outputs]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)

    def apart(self, dy: np.ndarray) -> tuple[list, list | None]:
        """(the outputs' gradients, the last states' or None where they are not put out), given all
        side by side."""
        if self.outputs_as is None:
            return [dy], None
        parts = self.handed_out(dy)
        count = self.number_of_outputs
        return list(parts[:count]), list(parts[count:]) if self.return_state else None

    def parted(self, x):
        """(the input, a list of initial states, the mask or None) of what it reads."""
        if not isinstance(x, (list, tuple)):
            return x, [], None
        own = self.own_inputs
        return x[0], list(x[1:own]), x[own] if len(x) > own else None

    def build_config(self):
        """What Keras builds such a layer by: of several inputs their shapes by names."""
        if self.own_inputs == 1:
            return {"input_shape": of_input(self.input_shape)}
        return {"shapes_dict": {"sequences_shape": self.input_shape[0],
                                "initial_state_shape": self.input_shape[1:self.own_inputs]}}


def of_input(shape) -> tuple:
    """The input's shape, of that and those of what is read beside it."""
    return shape[0] if isinstance(shape, list) else shape
