"""The gate 'update' beyond a fresh optimizer's first step: steps from states drawn for the purpose.

The candidate's optimizer, and the reference's where it can be run, make one step from each state of
`compare.oracle.optimizer_states`: other iterations, slots that are not zero, gradients on both
sides of a limit. Weights and slots are held against what the oracle makes of the same state, so no
error adds up. Where all is right there is one row for the weights and one for each kind of slot;
what fails is named by weight and iteration.

A rule can be written in several forms, as w -= rate * g with the velocity kept without the rate,
and some round more often than Keras's: `ROUNDINGS` times as much is allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from compare.checks.gate import Gate
from compare.checks.row import Row, judge, raised
from compare.document import progress
from compare.oracle.expected import learned, names_of_learned, optimizer_of
from compare.oracle.optimizer_states import (
    State,
    exact_step,
    states,
    with_more_roundings,
)
from compare.oracle.running_error import Bounded
from compare.tracing.layer_error import RAISED, LayerError, sentence
from compare.tracing.loss_scale import rule_of
from compare.tracing.model_kinds import is_keras, is_scratch
from compare.tracing.optimizer_steps import Key, OptimizerSteps
from compare.tracing.trace import Trace
from compare.tracing.types import Network, Weights

ROUNDINGS = 3
LATER = "later steps"
IN_PLACE = "the optimizer changes the gradients it is handed, in place"
AT = " at iteration "  # between the tensor and the number, in what a failing row is about
NAMED = 3  # iterations that have a row of their own
STEPS = 5  # of an optimizer that keeps more than can be set
After = tuple[list[np.ndarray], list[Weights]]


@dataclass
class Tensor:
    """One weight, or one slot of it, after the step from one state."""

    kind: str  # 'weights', or the slot's name
    name: str  # 'kernel', 'kernel momentum'
    layer: str
    state: State
    made: np.ndarray
    expected: np.ndarray
    right: Bounded

    def row(self) -> Row:
        row = judge(Gate.UPDATE, self.layer, f"{self.name}{AT}{self.state.iteration}",
                    self.made, self.expected, self.right)
        row.note = "; ".join(filter(None, (row.note, self.state.about)))
        return row


@progress.during(f"Gate '{Gate.UPDATE}', later steps")
def rows(model: Network, reference: Trace, twin: Network | Trace | None = None) -> list[Row]:
    """The rows of a candidate that has an optimizer; none without labels or without weights.

    Args:
        model: the candidate, a scratch model.
        reference: the reference's trace, whose settings count.
        twin: the reference, whose optimizer is run too if it is a live model.
    """
    trained = learned(reference)
    if reference.y is None or model.optimizer is None or not trained:
        return []
    keys = keys_of(model, trained, reference)
    ours = OptimizerSteps(model, keys)
    try:
        if ours.has_state_of_its_own:
            tensors = _consecutive(ours, reference, keys)
        else:
            tensors = _from_states(ours, twin, reference, keys,
                                   drawn(reference, steps_made(model, twin)))
    except RAISED as error:  # somebody's own optimizer may raise anything
        return [raised(Gate.UPDATE, LATER, "weights",
                       f"{type(model.optimizer).__name__} raised {sentence(error)}")]
    kinds = dict.fromkeys(tensor.kind for tensor in tensors)
    changed = [raised(Gate.UPDATE, LATER, "gradients", LayerError(IN_PLACE))
               ] * ours.changes_gradients
    return changed + [row for kind in kinds
                      for row in _told([tensor for tensor in tensors if tensor.kind == kind])]


def keys_of(model: Network, trained: list[tuple[int, str]], reference: Trace) -> list[Key]:
    """The candidate's names of the weights that are trained."""
    titles = list(dict.fromkeys(part.layer for part in reference.parts))
    return [(model.layers[titles.index(reference.parts[i].layer)].name, name)
            for i, name in trained]


def steps_made(*models: Network | Trace | None) -> tuple[int, ...]:
    """How many steps the models' own optimizers have made."""
    made = [model.optimizer.iterations for model in models
            if model is not None and not isinstance(model, Trace)
            and getattr(model, "optimizer", None) is not None]
    return tuple(int(each.numpy() if hasattr(each, "numpy") else each) for each in made)


def other_side(twin: Network | Trace | None, reference: Trace, shapes: list[tuple[int, ...]]
                ) -> Callable[..., After] | None:
    """The reference's step from a state, for weights of these shapes; None where it cannot be run.
    """
    trained = learned(reference)
    if is_scratch(twin):
        return OptimizerSteps(twin, [(reference.parts[i].layer, name)
                                     for i, name in trained]).step
    if not is_keras(twin):
        return None
    import reference as keras_side

    assert twin is not None and not isinstance(twin, Trace)
    layers = keras_side.layers_by_name(twin)
    variables = [keras_side.weight_of(layers[reference.parts[i].layer], name)
                 for i, name in trained]
    step: Callable[..., After] = keras_side.OptimizerSteps(twin, variables, shapes).step
    return step


def drawn(reference: Trace, more: tuple[int, ...] = ()) -> list[State]:
    """The states from which the steps of a trace's optimizer are made.

    Args:
        more: iterations, besides those that always count.
    """
    described = rule_of(reference.compile_config["optimizer"])
    shapes = [reference.parts[i].weights[name].shape for i, name in learned(reference)]
    return states(described["class_name"], described["config"], shapes, reference.dtype, more,
                  names_of_learned(reference))


def _from_states(ours: OptimizerSteps, twin: Network | Trace | None, reference: Trace,
                 keys: list[Key], given_states: list[State]) -> list[Tensor]:
    theirs = other_side(twin, reference, [w.shape for w in given_states[0].weights])
    oracle, found = optimizer_of(reference), []
    oracle.constraints = []  # the weights drawn for the purpose have none
    for state in given_states:
        given = state.iteration, state.weights, state.gradients, state.slots
        made = ours.step(*given)
        right = exact_step(oracle, state)
        expected = _rounded(right, reference.dtype) if theirs is None else theirs(*given)
        for i, (layer, name) in enumerate(keys):
            found.append(Tensor("weights", name, layer, state, made[0][i], expected[0][i],
                                with_more_roundings(right[0][i], ROUNDINGS)))
            found += [Tensor(slot, f"{name} {slot}", layer, state, made[1][i][slot],
                             expected[1][i][slot],
                             with_more_roundings(right[1][i][slot], ROUNDINGS))
                      for slot in state.slots[i]]
    return found


def _consecutive(ours: OptimizerSteps, reference: Trace, keys: list[Key]) -> list[Tensor]:
    """The weights after each of the first steps, of an optimizer whose state cannot be set."""
    given = drawn(reference)[:STEPS]
    oracle = optimizer_of(reference)
    oracle.constraints = []
    weights = [Bounded(weight, oracle.rounding) for weight in given[0].weights]
    found = []
    made = ours.consecutive(given[0].weights, [state.gradients for state in given])
    for step, (state, after) in enumerate(zip(given, made)):
        weights = oracle.step(weights, [Bounded(g, oracle.rounding) for g in state.gradients])
        here = State(step, state.weights, state.gradients,
                     about="from a fresh start, as it keeps a state of its own")
        found += [Tensor("weights", name, layer, here, after[i],
                         weights[i].value.astype(reference.dtype),
                         with_more_roundings(weights[i], ROUNDINGS))
                  for i, (layer, name) in enumerate(keys)]
    return found


def _rounded(right: tuple[list[Bounded], list[dict[str, Bounded]]], dtype: str) -> After:
    """What the oracle has, as the reference would."""
    weights, slots = right
    return ([weight.value.astype(dtype) for weight in weights],
            [{name: value.value.astype(dtype) for name, value in each.items()} for each in slots])


def _told(tensors: list[Tensor]) -> list[Row]:
    """Rows for one kind of tensor: one for all that holds, and for the first iterations that do
    not the worst weight of each."""
    by_iteration: dict[int, list[Tensor]] = {}
    for tensor in tensors:
        by_iteration.setdefault(tensor.state.iteration, []).append(tensor)
    joined = {iteration: _joined(some) for iteration, some in by_iteration.items()}
    failing = [iteration for iteration, row in joined.items() if not row.passed]
    worst = [max((tensor.row() for tensor in by_iteration[iteration]), key=lambda row: row.used)
             for iteration in failing[:NAMED]]
    if len(failing) > NAMED:
        rest = ", ".join(map(str, failing[NAMED:]))
        worst[-1].note = "; ".join(filter(None, (worst[-1].note, f"also at iterations {rest}")))
    holding = [tensor for iteration, some in by_iteration.items() if iteration not in failing
               for tensor in some]
    return ([_joined(holding)] if holding else []) + worst


def _joined(tensors: list[Tensor]) -> Row:
    """One row for several tensors; the place is that of its worst element: the iteration."""
    made, expected, value, bound = (
        np.concatenate([np.ravel(array) for array in arrays]) for arrays in (
            [tensor.made for tensor in tensors], [tensor.expected for tensor in tensors],
            [tensor.right.value for tensor in tensors],
            [tensor.right.bound for tensor in tensors]))
    row = judge(Gate.UPDATE, LATER, tensors[0].kind, made, expected,
                Bounded(value, tensors[0].right.rounding, bound))
    ends = np.cumsum([tensor.made.size for tensor in tensors])
    at = tensors[int(np.searchsorted(ends, row.index[0], side="right"))] if row.index else None
    if at is not None:
        row.note = "; ".join(filter(None, (row.note, f"{at.layer} {at.name}", "at iteration "
                                           f"{at.state.iteration}", at.state.about)))
    row.index, row.excerpt = (), None
    return row
