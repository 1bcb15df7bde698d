"""The oracle of two recurrent layers that read the steps in both directions."""

from typing import Any

import numpy as np

from compare.oracle import states as carried
from compare.oracle.base import Oracle, judges
from compare.oracle.making import oracle_for
from compare.oracle.recurrence import added, beside
from compare.oracle.running_error import Bounded
from compare.tracing.configs import INITIAL_STATES
from compare.tracing.types import Config

WAYS = {"layer": "forward_layer/", "backward_layer": "backward_layer/"}


@judges("Bidirectional")
class Bidirectional(Oracle):
    """Both outputs side by side, added, averaged or multiplied, in the order of the input."""

    operation = "recurrences in both directions"
    exact = False

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        given = carried.count(config) // 2
        self.inner: dict[str, Any] = {prefix: oracle_for(config[argument]["class_name"],
                                         {**config[argument]["config"], INITIAL_STATES: given})
                      for argument, prefix in WAYS.items()}
        self.mode = config["merge_mode"]
        self.sequences = bool(config["layer"]["config"].get("return_sequences"))

    def _turned(self, array: Bounded) -> Bounded:
        return array.rearranged(lambda a: a[:, ::-1]) if self.sequences else array

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return carried.admitted(x, self.config)

    def _noise_by_way(self, shape: tuple[int, ...]) -> list[slice]:
        """Where each layer's noise lies in that of both."""
        widths = [max((place.stop for _, place, _ in oracle.parts_of_noise(shape) or []), default=0)
                  for oracle in self.inner.values()]
        return [slice(0, widths[0]), slice(widths[0], sum(widths))]

    def parts_of_noise(self, shape: tuple[int, ...]) -> list[tuple[float, slice, int]]:
        return [(rate, slice(way.start + place.start, way.start + place.stop), gates)
                for way, oracle in zip(self._noise_by_way(shape), self.inner.values())
                for rate, place, gates in oracle.parts_of_noise(shape) or []]

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        made, last = [], []
        read = list(x) if isinstance(x, (list, tuple)) else [x]
        given = carried.count(self.config)
        places = self._noise_by_way(read[0].shape)
        for k, ((prefix, oracle), place) in enumerate(zip(self.inner.items(), places)):
            own = {name.removeprefix(prefix): weight for name, weight in weights.items()
                   if name.startswith(prefix)}
            oracle.training = self.training
            if place.stop > place.start and "noise" in weights:
                own["noise"] = _part(weights["noise"], place)
            seen = [read[0], *read[1 + k * given // 2:1 + (k + 1) * given // 2], *read[1 + given:]]
            found = oracle.forward(seen if len(seen) > 1 else seen[0], own)
            (y,), states = carried.apart(found, [oracle.output_shape], self._widths(oracle))
            made.append(y)
            last += states
        self.ways = made[0], self._turned(made[1])
        self.merged = self._merged(*self.ways)
        return carried.side_by_side(self.merged, last)

    def go_on_from(self, earlier: Any) -> None:
        for oracle, before in zip(self.inner.values(), earlier.inner.values()):
            oracle.go_on_from(before)

    def _widths(self, oracle: Any) -> list[int]:
        """Of the states that a layer puts out."""
        return [oracle.units] * oracle.states if oracle.config.get("return_state") else []

    def _merged(self, a: Bounded, b: Bounded) -> list[Bounded]:
        """The outputs of both, merged if they are to be."""
        if self.mode is None:
            return [a, b]
        if self.mode == "concat":
            return [beside([a, b], len(a.shape) - 1)]
        if self.mode == "mul":
            return [a * b]
        return [a + b if self.mode == "sum" else (a + b) * 0.5]

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        widths = [self._widths(oracle) for oracle in self.inner.values()]
        outputs, d_states = carried.apart(dy, [each.shape for each in self.merged], sum(widths, []))
        da, db = self._merged_back(outputs)
        gradients: dict[str, Bounded] = {}
        sent = []
        for (prefix, oracle), each, states in zip(
                self.inner.items(), (da, self._turned(db)),
                (d_states[:len(widths[0])], d_states[len(widths[0]):])):
            dx, found = oracle.backward(carried.side_by_side([each], states))
            sent.append(dx)
            gradients |= {prefix + name: gradient for name, gradient in found.items()}
        if not isinstance(sent[0], list):
            return added(sent), gradients
        half = carried.count(self.config) // 2
        return [added([dx for dx, *_ in sent]), *(state for _, *more in sent
                                                  for state in more[:half]),
                *sent[0][1 + half:]], gradients

    def _merged_back(self, outputs: list[Bounded]) -> tuple[Bounded, Bounded]:
        """The gradients of what both put out, given those of the outputs."""
        if self.mode is None:
            return outputs[0], outputs[1]
        dy, (a, b) = outputs[0], self.ways
        if self.mode == "concat":
            at = a.shape[-1]
            da = dy.rearranged(lambda g: g[..., :at])
            db = dy.rearranged(lambda g: g[..., at:])
        elif self.mode == "mul":
            da, db = dy * b, dy * a
        else:
            da = db = dy if self.mode == "sum" else dy * 0.5
        return da, db

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        counted: dict[str, int] = {}
        for prefix, oracle in self.inner.items():
            for name, count in oracle.reductions(input_shape, output_shape).items():
                weight = name.endswith("_gradient") and name != "input_gradient"
                key = prefix + name if weight else name
                counted[key] = counted.get(key, 0) + count
        return counted


def _part(noise: Bounded, place: slice) -> Bounded:
    return noise.rearranged(lambda a: a[:, :, place])
