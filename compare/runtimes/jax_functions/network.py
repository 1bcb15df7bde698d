"""A JAX function that is handed over, and how it is to be held against a Keras model."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from compare.runtimes.graph import Ran
from compare.runtimes.jax_functions.program import Program, arrays_of, as_taken
from compare.runtimes.jax_functions.weights import Stored, stored
from compare.runtimes.pairing import Pairing, Pairs
from compare.runtimes.reading import makes
from compare.tracing.layer_error import RAISED, sentence
from compare.tracing.shared_weights import held_once
from compare.tracing.trace import Trace
from compare.tracing.types import Network

RUNTIME = f"jax {jax.__version__}"


@dataclass
class JaxFunction:
    """A function and its params; the arguments are those of `compare.from_jax`."""

    function: Callable[..., Any]
    params: Any
    names: dict[str, str] = field(default_factory=dict)
    weights: str | None = None
    data_format: str | None = None
    title: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.title = getattr(self.function, "__name__", type(self.function).__name__)
        self.params = arrays_of(self.params)

    def beside(self, twin: Any) -> Network:
        """The function as a scratch model, each of its pieces in the place of one of the twin's
        layers; see `compare.runtimes.jax_functions.candidate`."""
        from compare.runtimes.jax_functions.candidate import candidate  # which reads this

        return candidate(self, twin)

    def program(self, x: np.ndarray) -> tuple[Program, bool]:
        """(its steps for a batch of Keras's, whether it takes its channels first).

        Raises:
            ValueError: if it runs on no such batch.
        """
        errors = []
        for first in ((False, True) if x.ndim > 2 else (False,)):
            turned = as_taken(x, first)
            try:
                return Program(self.function, self.params, turned.shape, np.float32), first
            except RAISED as error:  # somebody's function may raise anything
                errors.append(f"of shape {turned.shape} it raised {sentence(error):.200}")
        raise ValueError(f"Expected a function of (params, x) that runs on batches of Keras's "
                         f"shape, {x.shape}. Received {self.title}: {'; '.join(errors)}")

    def mapped(self, program: Program, weights: dict[tuple[str, str], np.ndarray]
               ) -> dict[tuple[str, str], Stored]:
        """Keras's weights among the params; see `stored`."""
        names = {key: path for key, path in self.names.items() if "/" in key}
        return stored(program, program.held(self.params), weights, names)

    def holds(self, where: dict[tuple[str, str], Stored], program: Program,
              weights: dict[tuple[str, str], np.ndarray]) -> bool:
        """Whether some of the params' arrays are Keras's weights, so that all are compared."""
        if self.weights is not None:
            return self.weights == "compared"
        own = program.held(self.params)
        return any(np.array_equal(at.to_keras(np.asarray(own[at.value])), weights[key])
                   and np.ptp(weights[key]) > 0 for key, at in where.items())

    def with_weights(self, where: dict[tuple[str, str], Stored], program: Program,
                     weights: dict[tuple[str, str], np.ndarray]) -> Any:
        """The params with Keras's weights in them."""
        values = program.held(self.params)
        for key, at in where.items():
            values[at.value] = at.to_own(weights[key]).astype(values[at.value].dtype)
        return jax.tree.unflatten(jax.tree.structure(self.params), list(values.values()))

    def run(self, trace: Trace) -> Ran:
        """What it computes of a trace's batch, with its own params or, if none of them is Keras's,
        with Keras's; where an array has no place in Keras, or is missing, with its own."""
        keras = held_once(trace.parts)
        program, _ = self.program(trace.x)
        try:
            where = self.mapped(program, keras)
        except ValueError:
            where = {}
        if not where or self.holds(where, program, keras):
            ran = self.ran(trace.x, self.params)
            ran.said.append("The JAX function is compared with its own params.")
            return ran
        ran, *_ = self.paired(trace, where, keras)
        ran.said.append("Keras's weights were copied into the params of the JAX function.")
        return ran

    def paired(self, trace: Trace, where: dict[tuple[str, str], Stored],
               weights: dict[tuple[str, str], np.ndarray]
               ) -> tuple[Ran, Pairs, dict[tuple[str, str], Stored]]:
        """(what it computes with these weights, who stands for whom, the weights' places): kernels
        behind a flattening channel by channel have their rows in that order."""
        program, _ = self.program(trace.x)
        names = {layer: name for layer, name in self.names.items() if "/" not in layer}
        for turned in (False, True):
            ran = self.ran(trace.x, self.with_weights(where, program, weights))
            pairs = Pairing(trace, ran, makes(trace, None), names, self.data_format).run()
            again = where if turned else _with_rows_turned(where, trace, pairs)
            if again == where:
                break
            where = again
        return ran, pairs, where

    def ran(self, x: np.ndarray, params: Any) -> Ran:
        """What it computes of a batch of Keras's, with every value in sight."""
        program, first = self.program(x)
        ran = program.ran(params, as_taken(x, first), RUNTIME)
        if first:
            ran.said.append("The batch was handed over channels first.")
        return ran


def _with_rows_turned(where: dict[tuple[str, str], Stored], trace: Trace, pairs: Pairs
                      ) -> dict[tuple[str, str], Stored]:
    """The weights' places, rows of dense kernels as the function flattens its images."""
    made, images = dict(where), None
    for part in trace.parts:
        if part.class_name == "Flatten" and part.inputs[0].ndim > 3:
            images = part.inputs[0].shape[1:] if part.name in pairs.turned else None
        elif (part.layer, "kernel") in where and part.weights:
            at = where[part.layer, "kernel"]
            if images is not None and int(np.prod(images)) == at.shape[0]:
                made[part.layer, "kernel"] = replace(at, images=images)
            images = None
    return made
