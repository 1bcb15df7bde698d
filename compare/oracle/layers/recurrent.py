"""The oracles of recurrent layers: step by step forward, and by hand backward through time.

What one number is a sum of, the input's part, the state's and the bias, counts as one sum in any
order; so do the sums over steps and samples that make the gradients of the weights.
"""

from typing import Any

import numpy as np

from compare.oracle import masks
from compare.oracle import states as carried
from compare.oracle.base import Oracle, judges
from compare.oracle.layers.dropping import Dropping
from compare.oracle.making import activation_for
from compare.oracle.recurrence import added, at_step, beside, collected, columns, turned
from compare.oracle.running_error import Bounded, bilinear
from compare.tracing.types import Config


class Recurrent(Oracle):
    """Base: the loop over steps. A subclass says what one step is, and the way back through it."""

    operation = "a recurrence over steps"
    exact = False
    activates = True
    outputs = ("units",)
    states = 1
    begins_with: list[Bounded] = []  # the states that a batch before has left; none: zeros

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.units = int(config[self.outputs[0]])

    def function(self, x: Bounded, argument: str = "activation") -> tuple[Bounded, Oracle]:
        """(the activation of x, its oracle for the way back)."""
        oracle = activation_for(self.config.get(argument))
        assert oracle is not None  # a layer with an unknown one has no oracle
        return oracle.forward(x, {}), oracle

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return carried.admitted(x, self.config)

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        x, given, self.counts = carried.parted(x, self.config)
        self.weights, self.rounding = weights, x.rounding
        self.kernel, self.recurrent = weights["kernel"], weights["recurrent_kernel"]
        self.dropping = Dropping(weights.get("noise") if self.training else None, self.config,
                                 x.shape[2], self.units, self.kernel_width())
        self.order = range(x.shape[1])[::-1] if self.config.get("go_backwards") else range(
            x.shape[1])
        self.inputs = [at_step(x, t) for t in self.order]
        states = given or self.begins_with or [self.zeros(x.shape[0]) for _ in range(self.states)]
        self.kept, outputs = [], []
        for t, each in zip(self.order, self.inputs):
            before, self.dropping.t = states, t
            states, kept = self.step(each, states)
            if self.counts is not None:
                states = [masks.chosen(self.counts[:, t, None], new, old)
                          for new, old in zip(states, before)]
            self.kept.append(kept)
            outputs.append(self.put_out(states[0], t))
        y = outputs[-1]
        if self.config.get("return_sequences"):
            y = beside([y.reshape(y.shape[0], 1, -1) for y in outputs], 1)
        self.output_shape, self.last_states = y.shape, states
        return carried.side_by_side([y], states if self.config.get("return_state") else [])

    def go_on_from(self, earlier: Any) -> None:
        if self.config.get("stateful"):
            self.begins_with = earlier.last_states

    def put_out(self, state: Bounded, t: int) -> Bounded:
        """A step's output, given its state: zeros where it is masked, if they are asked for."""
        if self.counts is None or not self.config.get("zero_output_for_mask"):
            return state
        return masks.chosen(self.counts[:, t, None], state, self.zeros(state.shape[0]))

    def stepped_back(self, arrived: list[Bounded], d_states: list[Bounded], place: int
                     ) -> tuple[Bounded, list[Bounded], Any]:
        """`step_back` of the step at that place of the order; what a masked step's states were sent
        goes on to the states before it."""
        if self.counts is None:
            return self.step_back(arrived, d_states, self.kept[place])
        t = self.order[place]
        counts, rows = self.counts[:, t, None], d_states[0].shape[0]
        arrived = [self.put_out(each, t) for each in arrived]
        here = [masks.chosen(counts, each, self.zeros(rows)) for each in arrived]
        passed = [added([*arrived, d_states[0]]), *d_states[1:]]
        dz, found, more = self.step_back(
            here, [masks.chosen(counts, each, self.zeros(rows)) for each in d_states],
            self.kept[place])
        return dz, [masks.chosen(counts, new, old) for new, old in zip(found, passed)], more

    def zeros(self, rows: int) -> Bounded:
        return Bounded(np.zeros((rows, self.units)), self.rounding)

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        steps, sequences = len(self.inputs), self.config.get("return_sequences")
        widths = [self.units] * self.states if self.config.get("return_state") else []
        (dy,), d_states = carried.apart(dy, [self.output_shape], widths)
        d_states = d_states or [self.zeros(dy.shape[0]) for _ in range(self.states)]
        found: list[Any] = []
        for t in reversed(range(steps)):
            if sequences:
                arrived = [at_step(dy, t)]
            else:
                arrived = [dy] if t == steps - 1 else []
            dz, d_states, more = self.stepped_back(arrived, d_states, t)
            found.append((dz, more))
        found.reverse()
        dz = beside([each for each, _ in found], 0)
        gradients = {"kernel": self.dropping.kernel_gradient(self.inputs, dz, self.order),
                     **self.recurrent_gradients([more for _, more in found])}
        if "bias" in self.weights:
            gradients["bias"] = self.bias_gradient(dz, [more for _, more in found])
        parts: list[Any] = [None] * steps
        for t, (each, _) in zip(self.order, found):
            self.dropping.t = t
            dx = self.given_back(each)
            parts[t] = dx.reshape(dx.shape[0], 1, -1)
        dx = masks.with_mask(beside(parts, 1), self.counts)
        if not carried.count(self.config):
            return dx, gradients
        first, *mask = dx if isinstance(dx, list) else [dx]
        return [first, *d_states, *mask], gradients

    def seen(self, state: Bounded) -> Bounded:
        """What of a state the recurrent kernel is multiplied by, (rows, numbers)."""
        return state

    def given_back(self, dz: Bounded) -> Bounded:
        """The gradient of one step's input, given that of its product with the kernel."""
        return self.dropping.sent_back(dz, self.kernel, self.dropping.of_input)

    def sums(self, x: Bounded, before: Bounded, terms: list[Bounded], gates: int | None = None
             ) -> Bounded:
        """x @ kernel + before @ recurrent_kernel + terms, of the first gates or of all."""
        return self.dropping.sums(x, before, self.kernel, self.recurrent, terms, gates)

    def state_sent_back(self, dz: Bounded, terms: list[Bounded] | None = None,
                        gates: int | None = None) -> Bounded:
        """The gradient of the state before, given that of its products with the first gates' parts
        of the recurrent kernel, or of all; with more terms."""
        return self.dropping.sent_back(dz, self.recurrent, self.dropping.of_state, terms or [],
                                       gates)

    def step(self, x: Bounded, states: list[Bounded]) -> tuple[list[Bounded], Any]:
        """(the states after a step, what the way back needs)."""
        raise NotImplementedError

    def step_back(self, arrived: list[Bounded], d_states: list[Bounded], kept: Any
                  ) -> tuple[Bounded, list[Bounded], Any]:
        """(the gradient of x @ kernel, those of the states before, what the weights' gradients
        need).

        Args:
            arrived: the gradient of the step's output, a list of one or of none.
            d_states: the gradients of the states that the step after it sent back.
        """
        raise NotImplementedError

    def recurrent_gradients(self, found: list[Any]) -> dict[str, Bounded]:
        """Of the recurrent kernel: states before each step times the gradients of products with it.
        """
        sent = beside([each for _, each in found], 0)
        return {"recurrent_kernel": self.dropping.recurrent_gradient(
            [each for each, _ in found], sent)}

    def bias_gradient(self, dz: Bounded, found: list[Any]) -> Bounded:
        return dz.sum(axis=0)

    def bias_terms(self) -> list[Bounded]:
        return [self.weights["bias"]] if "bias" in self.weights else []

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        if isinstance(input_shape[0], (list, tuple)):
            input_shape = input_shape[0]
        samples, steps, features = input_shape
        width = self.kernel_width() * self.units
        once = features + self.units + 1
        return {"output": steps * once, "input_gradient": steps * width,
                **{f"{name}_gradient": samples * steps * (1 + steps)
                   for name in ("kernel", "recurrent_kernel", "bias")}}

    def kernel_width(self) -> int:
        """How many gates there are."""
        return 1

    def parts_of_noise(self, shape: tuple[int, ...]) -> list[tuple[float, slice, int]]:
        states = float(self.config.get("recurrent_dropout") or 0.0)
        gates, at, found = self.kernel_width() if states else 1, 0, []
        for rate, width in ((float(self.config.get("dropout") or 0.0), shape[2]),
                            (states, self.units)):
            if rate:
                found.append((rate, slice(at, at + gates * width), gates))
                at += gates * width
        return found


@judges("SimpleRNN")
class SimpleRNN(Recurrent):
    """h = f(x K + h' R + b)."""

    def step(self, x: Bounded, states: list[Bounded]) -> tuple[list[Bounded], Any]:
        z = self.sums(x, states[0], self.bias_terms())
        h, f = self.function(z)
        return [h], (states[0], f)

    def step_back(self, arrived: list[Bounded], d_states: list[Bounded], kept: Any
                  ) -> tuple[Bounded, list[Bounded], Any]:
        before, f = kept
        dz, _ = f.backward(added([*arrived, d_states[0]]))
        return dz, [self.state_sent_back(dz)], (before, dz)


@judges("LSTM")
class LSTM(Recurrent):
    """c = f c' + i g, h = o a(c), each gate of its own columns of x K + h' R + b."""

    states = 2

    def kernel_width(self) -> int:
        return 4

    def step(self, x: Bounded, states: list[Bounded]) -> tuple[list[Bounded], Any]:
        before, c_before = self.seen(states[0]), states[1]
        z = self.sums(x, before, self.bias_terms())
        parts = [columns(z, k * self.units, (k + 1) * self.units) for k in range(4)]
        kinds = ("recurrent_activation", "recurrent_activation", "activation",
                 "recurrent_activation")
        made = [self.function(part, kind) for part, kind in zip(parts, kinds)]
        i, f, g, o = (value for value, _ in made)
        c = f * c_before + i * g
        squashed, at_c = self.function(c)
        return [o * squashed, c], (before, c_before, (i, f, g, o), [each for _, each in made],
                                   squashed, at_c)

    def step_back(self, arrived: list[Bounded], d_states: list[Bounded], kept: Any
                  ) -> tuple[Bounded, list[Bounded], Any]:
        before, c_before, (i, f, g, o), oracles, squashed, at_c = kept
        dh = added([*arrived, d_states[0]])
        dc = added([d_states[1], at_c.backward(dh * o)[0]])
        sent = (dc * g, dc * c_before, dc * i, dh * squashed)
        dz = beside([oracle.backward(each)[0] for oracle, each in zip(oracles, sent)], 1)
        return dz, [self.state_sent_back(dz), dc * f], (before, dz)


@judges("GRU")
class GRU(Recurrent):
    """h = z h' + (1 - z) a(x K + b + r (h' R + b')), or a(x K + b + (r h') R) if the reset gate r
    acts before the product; z and r are gates of their own columns."""

    def kernel_width(self) -> int:
        return 3

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.after = bool(config.get("reset_after", True))

    def _biases(self) -> tuple[list[Bounded], list[Bounded]]:
        """(of the input, of the state before), each a list of one or of none."""
        if "bias" not in self.weights:
            return [], []
        bias = self.weights["bias"]
        if not self.after:
            return [bias], []
        return [bias.rearranged(lambda a: a[0])], [bias.rearranged(lambda a: a[1])]

    def step(self, x: Bounded, states: list[Bounded]) -> tuple[list[Bounded], Any]:
        (before,), u = states, self.units
        own, state = self._biases()

        def part(array: Bounded, start: int, stop: int) -> Bounded:
            return array.rearranged(lambda a: a[..., start * u:stop * u])

        gates = self.sums(x, before, [part(bias, 0, 2) for bias in (*own, *state)], 2)
        (z, at_z), (r, at_r) = (self.function(columns(gates, k * u, (k + 1) * u),
                                              "recurrent_activation") for k in range(2))
        kernel, recurrent = part(self.kernel, 2, 3), part(self.recurrent, 2, 3)
        x, left = self.dropping.read(x, 2), self.dropping.left(before, 2)
        bias = [part(each, 2, 3) for each in own]
        if self.after:
            inner = collected([(left, recurrent)], [part(each, 2, 3) for each in state])
            reset = r * inner
            new, at_new = self.function(collected([(x, kernel)], [*bias, reset]))
        else:
            inner = r * left
            new, at_new = self.function(collected([(x, kernel), (inner, recurrent)], bias))
        one = Bounded(np.ones(z.shape), z.rounding)
        h = z * before + (one - z) * new
        return [h], (before, z, r, inner, new, left, (at_z, at_r, at_new))

    def step_back(self, arrived: list[Bounded], d_states: list[Bounded], kept: Any
                  ) -> tuple[Bounded, list[Bounded], Any]:
        before, z, r, inner, new, left, (at_z, at_r, at_new) = kept
        u = self.units
        dh = added([*arrived, d_states[0]])
        one = Bounded(np.ones(z.shape), z.rounding)
        d_inner = at_new.backward(dh * (one - z))[0]
        d_update = at_z.backward(dh * before - dh * new)[0]
        last = columns(self.recurrent, 2 * u, 3 * u)
        if self.after:
            d_reset = at_r.backward(d_inner * inner)[0]
            d_own = beside([d_update, d_reset, d_inner * r], 1)
            d_before = self.state_sent_back(d_own, [dh * z])
            return beside([d_update, d_reset, d_inner], 1), [d_before], (before, d_own)
        sent = collected([(d_inner, turned(last))])
        d_reset = at_r.backward(sent * left)[0]
        d_gates = beside([d_update, d_reset], 1)
        d_before = self.state_sent_back(d_gates, [dh * z, self.dropping.left(sent * r, 2)], 2)
        return beside([d_gates, d_inner], 1), [d_before], (before, d_gates, inner, d_inner)

    def recurrent_gradients(self, found: list[Any]) -> dict[str, Bounded]:
        if self.after:
            return super().recurrent_gradients(found)
        gates, inner, sent = (beside([each[k] for each in found], 0) for k in range(1, 4))
        of_gates = self.dropping.recurrent_gradient([each[0] for each in found], gates)
        return {"recurrent_kernel": beside(
            [of_gates, bilinear(lambda a, b: a.T @ b, inner, sent)], 1)}

    def bias_gradient(self, dz: Bounded, found: list[Any]) -> Bounded:
        if not self.after:
            return dz.sum(axis=0)
        own = beside([each for _, each in found], 0).sum(axis=0)
        return beside([each.reshape(1, -1) for each in (dz.sum(axis=0), own)], 0)
