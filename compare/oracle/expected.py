"""What should have been computed from the numbers in a trace: layers, loss and update, with bounds.

Everything comes from the oracles; here their inputs are gathered and their results named.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from compare.oracle.adaptive_optimizers import optimizer_for
from compare.oracle.base import Oracle
from compare.oracle.losses import exact_loss
from compare.oracle.low_precision import policy_of
from compare.oracle.optimizers import Optimizer, alone
from compare.oracle.perturbed import Perturbed
from compare.oracle.registry import known_oracle, oracle_for
from compare.oracle.regularization import of_outputs, of_part, of_weights, total
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing import shared_weights
from compare.tracing.configs import UNDECAYED, layer_config, of_weight, path_of
from compare.tracing.loss_scale import loss_scale, rule_of, scaled
from compare.tracing.loss_terms import Term
from compare.tracing.masks import Read, along
from compare.tracing.shared_weights import total_gradient
from compare.tracing.tensor_names import results_by_name
from compare.tracing.trace import Part, Trace, layer_parts
from compare.tracing.types import Arrays, Config, Weights
from scratch.layers import LAYERS
from scratch.precision import LOW


def oracle_of(trace: Trace, part: Part) -> Oracle:
    """A fresh oracle for one part of a trace, for a pass of its kind.

    Raises:
        ValueError: for a layer that has none, and of which the trace knows no other way to judge
            it.
    """
    config, run = layer_config(trace, part.layer), trace.runs.get((path_of(part.layer), part.part))
    oracle = (oracle_for(part.class_name, config, part.part) if run is None
              else Perturbed(config, *run))
    oracle.training = trace.training
    return oracle


def known_oracle_of(trace: Trace, part: Part) -> Oracle | None:
    """The same; None where there is none, as for a layer that only Keras has."""
    if (path_of(part.layer), part.part) in trace.runs:
        return None
    return known_oracle(part.class_name, layer_config(trace, part.layer), part.part)


def shapes(part: Part) -> Any:
    """The shape of a part's input, a list of them for a layer that merges."""
    if isinstance(part.input, tuple):
        return [value.shape for value in part.input]
    return part.input.shape


def results(oracle: Oracle, x: Arrays, given: Weights, dy: np.ndarray | None,
            rounding: Rounding) -> dict[str, Bounded]:
    """An oracle's output on x and, unless dy is None, all its gradients, by tensor name.

    Args:
        x: an array, or a tuple of arrays for a layer that merges.
        given: the weights and, under its name, a random layer's 'noise'.
    """
    held = {name: Bounded(value, rounding) for name, value in given.items()}
    output = oracle.forward(bounded(x, rounding), held)
    gradients = () if dy is None else oracle.backward(Bounded(dy, rounding))
    return results_by_name(output, *gradients)


def bounded(x: Any, rounding: Rounding) -> Any:
    """An array without error; of a tuple of arrays, a list of them."""
    if isinstance(x, tuple):
        return [Bounded(value, rounding) for value in x]
    return Bounded(x, rounding)


def part_results(trace: Trace, part: Part, oracle: Oracle) -> dict[str, Bounded]:
    """What a part should have computed from the inputs that its trace holds."""
    rounding = Rounding.of(trace.dtype)
    exact = results(oracle, part.input, part.given, part.output_gradient, rounding)
    if trace.y is not None:
        held = {name: Bounded(weight, rounding) for name, weight in part.weights.items()}
        scale = loss_scale(trace.compile_config)
        for name, more in of_part(trace, part, held).items():
            if f"{name}_gradient" in exact:
                exact[f"{name}_gradient"] = total([exact[f"{name}_gradient"],
                                                   scaled(more, scale)])
    return exact


def inference(trace: Trace, part: Part) -> Bounded:
    """What a part should have put out of the input that its trace holds, outside of training."""
    oracle = oracle_of(trace, part)
    oracle.training = False
    return results(oracle, part.input, part.weights, None, Rounding.of(trace.dtype))["output"]


def loss_input(trace: Trace, term: Term) -> Bounded:
    """What a loss was computed from, as the trace holds it."""
    return Bounded(term.seen(trace), Rounding.of(trace.dtype))


def term_loss(trace: Trace, term: Term, seen: Bounded, read: Read | None = None
              ) -> tuple[Bounded, Bounded]:
    """(the loss of one output without penalties and without its weight, its share of the gradient
    of the sum, scaled as it is trained, with respect to what it is computed from).

    Args:
        read: gives what a mask is made of, by the position of the part that puts it out; None for
            what the trace holds.
    """
    value, gradient = exact_loss(term.loss, term.labels(trace), seen, term.fused,
                                 np.dtype(trace.dtype), term.sample_weight(trace),
                                 along(trace, term.part, read))
    weighted = gradient if term.weight is None else gradient * share(trace, term)
    return value, scaled(weighted, loss_scale(trace.compile_config))


def share(trace: Trace, term: Term) -> float:
    """What a loss counts for in the sum, a number of the trace's precision."""
    return 1.0 if term.weight is None else float(np.dtype(trace.dtype).type(term.weight))


def summed(trace: Trace, terms: list[Term], values: list[Bounded]) -> Bounded:
    """The weighted sum of the losses of all outputs."""
    return total([value if term.weight is None else value * share(trace, term)
                  for term, value in zip(terms, values, strict=True)])


def with_penalties(trace: Trace, value: Bounded, weights: list[dict[str, Bounded]],
                   outputs: list[Bounded]) -> Bounded:
    """The loss that is trained: that of the data and all penalties.

    Args:
        weights: for each part its weights as `Bounded`, by name.
        outputs: each part's output.
    """
    return total([value, *of_weights(trace, weights), *of_outputs(trace, outputs)])


def learned(trace: Trace) -> list[tuple[int, str]]:
    """(number of the part, name of the weight) of each weight that is trained, once."""
    return shared_weights.learned(trace.parts)


def optimizer_of(trace: Trace) -> Optimizer:
    """The oracle for a fresh optimizer of a trace, for the weights that are trained."""
    described = rule_of(trace.compile_config["optimizer"])
    optimizer = optimizer_for(described["class_name"], described["config"], kept_in(trace))
    excluded = {tuple(each) for each in described.get(UNDECAYED, ())}
    numbers = {i: number for number, positions in enumerate(layer_parts(trace), start=1)
               for i in positions}
    optimizer.constraints = [_constraint(trace, trace.parts[i], name) for i, name in learned(trace)]
    optimizer.names = names_of_learned(trace)
    optimizer.decays = [(numbers[i], name) not in excluded for i, name in learned(trace)]
    return optimizer


def names_of_learned(trace: Trace) -> list[str]:
    """The names 'dense/kernel' ... of the weights that are trained."""
    return [f"{trace.parts[i].layer}/{name}" for i, name in learned(trace)]


def kept_in(trace: Trace) -> str:
    """The precision in which trained weights are kept: of several the coarsest."""
    kept = {policy_of(layer_config(trace, trace.parts[i].layer)).variable
            for i, _ in learned(trace)} & set(LOW)
    return max(kept, default=trace.dtype, key=lambda name: Rounding.of(name).unit)


def _constraint(trace: Trace, part: Part, name: str) -> Config | None:
    """The constraint of one of a part's weights, as its layer's config has it."""
    kind, config, name = of_weight(part.class_name, layer_config(trace, part.layer), name)
    argument = LAYERS[kind].argument_of(name) if kind in LAYERS else name
    found: Config | None = config.get(f"{argument}_constraint")
    return found


def moved_on(trace: Trace, part: Part) -> dict[str, Bounded]:
    """The weights that a part's own forward pass changes, as they should be after it."""
    if not set(part.updated) - set(part.weight_gradients):
        return {}
    oracle = oracle_of(trace, part)
    results(oracle, part.input, part.given, None, Rounding.of(trace.dtype))
    return oracle.updated


def left_by_pass(trace: Trace, part: Part, name: str, rounding: Rounding) -> Bounded:
    """A trained weight as the forward pass should have left it, where a step begins."""
    if name in oracle_of(trace, part).overwrites:
        return moved_on(trace, part)[name]
    return Bounded(part.weights[name], rounding)


class FirstStep(Mapping[tuple[int, str], Bounded]):
    """Each trained weight of a trace after the first step of a fresh optimizer, by part and name;
    the step begins where the forward pass has left it.

    Each is worked out when it is asked for, and not kept; all at once only where an optimizer's
    step depends on all gradients.

    Args:
        others: weights that are to be found here, too, such as those that the pass alone changes.
    """

    def __init__(self, trace: Trace, others: dict[tuple[int, str], Bounded] | None = None) -> None:
        self.trace, self.trained = trace, learned(trace)
        self._optimizer = optimizer_of(trace)
        self._known = {key: value for key, value in (others or {}).items()
                       if key not in self.trained}
        if self._optimizer.joins_weights and self.trained:
            self._known.update(zip(self.trained, self._optimizer.step(
                [self._before(key) for key in self.trained],
                [self._gradient(key) for key in self.trained])))

    def __getitem__(self, key: tuple[int, str]) -> Bounded:
        if key in self._known:
            return self._known[key]
        if key not in self.trained:
            raise KeyError(key)
        one = alone(self._optimizer, self.trained.index(key))
        return one.step([self._before(key)], [self._gradient(key)])[0]

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(dict.fromkeys([*self.trained, *self._known]))

    def __len__(self) -> int:
        return len(set(self.trained) | self._known.keys())

    def _before(self, key: tuple[int, str]) -> Bounded:
        i, name = key
        return left_by_pass(self.trace, self.trace.parts[i], name, self._optimizer.rounding)

    def _gradient(self, key: tuple[int, str]) -> Bounded:
        return Bounded(total_gradient(self.trace.parts, *key), self._optimizer.rounding)
