"""The gates that hold numbers: forward, loss, backward, update and inference, each op by itself.

Every op is run on the reference's own input and output gradient, so that what differs is this
op's doing. Beside it stands what the freely running networks differ by:
inherited + local = observed.
"""

import copy
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from compare.checks.gate import Gate
from compare.checks.in_place import CHANGES
from compare.checks.row import Row, bitwise, distance, judge, mismatch, raised
from compare.document import progress
from compare.oracle.expected import (
    FirstStep,
    inference,
    learned,
    loss_input,
    moved_on,
    oracle_of,
    part_results,
    shapes,
    share,
    summed,
    term_loss,
    with_penalties,
)
from compare.oracle.held import Held
from compare.oracle.losses import loss_terms
from compare.oracle.low_precision import policy_of
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing import execution
from compare.tracing.configs import layer_config
from compare.tracing.layer_error import RAISED, LayerError, sentence
from compare.tracing.loss_scale import loss_scale
from compare.tracing.loss_terms import Term, terms_of
from compare.tracing.ops import Op
from compare.tracing.optimizer_steps import stepped
from compare.tracing.shared_weights import total_gradient
from compare.tracing.tensor_names import by_name
from compare.tracing.trace import Part, Trace
from compare.tracing.types import Arrays, Network, Weights
from scratch.precision import rounded
from scratch.several import each

MOVES = "the layer changes this weight outside of training"
TITLE = f"Gates '{Gate.FORWARD}' and '{Gate.BACKWARD}', layer by layer"  # of its bar
FIRST = "the first pass in training, which left something else than the same pass later"
ONE_SAMPLE = "a batch of one sample"  # is what a row is about
Steps = Mapping[tuple[int, str], Bounded]  # by part and name of the weight


class Layerwise:
    """Two traces of networks with the same layers, judged tensor by tensor.

    Args:
        candidate, reference: the traces.
        ops: the candidate's ops, to be run on the reference's inputs; None if it cannot be
            run, then the oracle says what it should have made of its own inputs.
        model: the candidate's model, whose loss and optimizer are run; None likewise.
        only: the positions of the parts that are judged; None for all.
    """

    def __init__(self, candidate: Trace, reference: Trace, ops: list[Op] | None = None,
                 model: Network | None = None, only: Collection[int] | None = None) -> None:
        self.candidate, self.reference = candidate, reference
        self.ops, self.model = ops, model
        self.dtype = np.dtype(reference.dtype)
        self.rounding = Rounding.of(self.dtype)
        self.positions = [i for i in range(len(reference.parts)) if only is None or i in only]
        self.results = [self._judge_part(i) for i in progress.each(self.positions, TITLE)]

    def rows(self) -> list[Row]:
        """All rows, gate after gate."""
        rows = [row for result in self.results for row in result if row.gate is Gate.FORWARD]
        rows += self.loss()
        rows += [row for result in reversed(self.results) for row in result
                 if row.gate is Gate.BACKWARD]
        return rows + self.update() + [row for result in self.results for row in result
                                       if row.gate is Gate.INFERENCE]

    def _judge_part(self, i: int) -> list[Row]:
        ours, theirs = self.candidate.parts[i], self.reference.parts[i]
        oracle = oracle_of(self.reference, theirs)
        right = part_results(self.reference, theirs, oracle)
        terms = oracle.reductions(shapes(theirs), theirs.output.shape)
        rows: list[Row] = []
        slack: dict[str, np.ndarray] = {}
        errors: dict[str, LayerError] = {}
        if self.ops is not None:
            made, slack, errors = self._run(self.ops[i], i, theirs, rows)
        else:
            made = self._transferred(ours, theirs, right)
        for tensor, expected in theirs.results.items():
            gate = Gate.FORWARD if tensor == "output" else Gate.BACKWARD
            if made.get(tensor) is None:
                if gate not in errors and self.ops is not None and self.ops[i].spares(tensor):
                    continue
                rows.append(raised(gate, ours.name, tensor, errors[gate]) if gate in errors
                            else mismatch(gate, ours.name, tensor, None, expected))
                continue
            row = judge(gate, ours.name, tensor, made[tensor], expected, right[tensor],
                        terms.get(tensor, terms.get(tensor.rstrip("_0123456789"), 1)),
                        slack.get(tensor))
            set_observed(row, ours.results.get(tensor), made[tensor], expected)
            rows.append(row)
        # an input's gradient of zeros alone is none, which Keras has of class numbers
        missing = {tensor for tensor in ours.results.keys() - theirs.results.keys()
                   if not tensor.startswith("input_gradient") or np.any(ours.results[tensor])}
        rows += [mismatch(Gate.BACKWARD, ours.name, tensor, ours.results[tensor], None)
                 for tensor in sorted(missing)]
        return rows + self._inference(i, ours, theirs, right["output"])

    def _run(self, op: Op, i: int, theirs: Part, rows: list[Row]
             ) -> tuple[Weights, Weights, dict[str, LayerError]]:
        """What the candidate's op makes of the reference's input, gradient and noise: the
        results, what recovering them may have rounded, and errors by gate, if it raised any.

        Of the inputs it may change nothing, for others read them too: if it does, `rows` get one
        more.
        """
        given = _copy(theirs.input), _copy(theirs.output_gradient), _copy(theirs.noise)
        result, errors = op.attempt(*given, training=self.reference.training)
        names = "input", "output_gradient", "noise"
        for name, array, before in zip(names, given, (getattr(theirs, name) for name in names)):
            for tensor, value in by_name(name, array).items():
                was = by_name(name, before)[tensor]
                if np.array_equal(value, was):  # as nearly always
                    continue
                row = bitwise(Gate.FORWARD, self.candidate.parts[i].name, tensor, value, was)
                if not row.passed:
                    row.off, row.note = "candidate", f"the layer {CHANGES}"
                    rows.append(row)
        if self.reference.y is not None:
            execution.add_penalties(op, result.weight_gradients,
                                    loss_scale(self.reference.compile_config))
        for name, value in {} if self.reference.training else result.updated.items():
            row = bitwise(Gate.FORWARD, self.candidate.parts[i].name, name, value,
                          theirs.weights[name])
            if not row.passed:
                row.off, row.note = "candidate", MOVES
                rows.append(row)
        return result.tensors, result.slack, errors

    def _transferred(self, ours: Part, theirs: Part, right: dict[str, Bounded]) -> Weights:
        """The candidate's own results, moved to the reference's inputs; widens `right` if need be.
        """
        own = part_results(self.candidate, ours, oracle_of(self.reference, theirs))
        made = {}
        for tensor, array in ours.results.items():
            if tensor in own and tensor in right and own[tensor].shape == right[tensor].shape:
                made[tensor], right[tensor] = moved(array, own[tensor], right[tensor])
        return made

    def loss(self) -> list[Row]:
        """Rows for the loss and its gradient, computed from the reference's output; of several
        outputs for the sum, and for each one's loss and its share of the gradient."""
        ours, theirs = self.candidate, self.reference
        if theirs.loss is None or theirs.fused != ours.fused:
            return []
        terms = terms_of(theirs)
        value, values, gradients = self._exact_loss(theirs, terms)
        made_values: Any = []
        if self.model is not None and self.ops is not None:
            function = copy.deepcopy(self.model.loss)
            try:
                seen = [part.inputs[0] if below else part.output for part, below in zip(
                    (theirs.parts[end] for end in theirs.ends),
                    theirs.fused if isinstance(theirs.fused, tuple) else [theirs.fused])]
                made, made_gradient, made_values = execution.run_loss(
                    function, theirs.y, seen, theirs.fused, theirs.sample_weight,
                    loss_scale(theirs.compile_config), execution.end_masks(self.model,
                                                                           theirs.parts))
            except RAISED as error:  # somebody's own loss may raise anything
                note = (str(error) if isinstance(error, LayerError) else
                        f"{type(function).__name__} raised {sentence(error)}")
                return [raised(Gate.LOSS, "loss", tensor, note) for tensor in ("value", "gradient")]
            made = made + execution.penalties(self.ops, [part.output for part in theirs.parts])
            made_gradients = [each(made_gradient)[term.output] for term in terms]
        else:
            own_terms = terms_of(ours)
            if [term.output for term in own_terms] != [term.output for term in terms]:
                return []  # a row on the networks says so
            own_value, own_values, own_gradients = self._exact_loss(ours, own_terms)
            made, value = moved(np.asarray(ours.loss), own_value, value)
            made_gradients = []
            for k, term in enumerate(terms):
                shifted, gradients[k] = moved(np.asarray(term.gradient(ours)), own_gradients[k],
                                              gradients[k])
                made_gradients.append(shifted)
                if ours.terms:
                    shifted, values[k] = moved(np.asarray(ours.terms[k]), own_values[k], values[k])
                    made_values.append(shifted)
        counts = [loss_terms(term.loss, term.seen(theirs).shape) for term in terms]
        rows: list[Row] = []
        for k, (term, count) in enumerate(zip(terms, counts)):
            if theirs.terms:
                rows.append(judge(Gate.LOSS, term.layer, "value", made_values[k], theirs.terms[k],
                                  values[k], count[0]))
                set_observed(rows[-1], np.asarray(ours.terms[k]), made_values[k], theirs.terms[k])
            rows.append(judge(Gate.LOSS, term.layer, "gradient", made_gradients[k],
                              term.gradient(theirs), gradients[k], count[1]))
            set_observed(rows[-1], term.gradient(ours), made_gradients[k], term.gradient(theirs))
        if not all(row.passed for row in rows if row.tensor == "value"):
            # an error of one output's loss is told in its own row: what is judged is the sum
            made = made - sum(share(theirs, term) * (float(own) - right.value)
                              for term, own, right in zip(terms, made_values, values))
        whole = judge(Gate.LOSS, "loss", "value", made, theirs.loss, value,
                      sum(count for count, _ in counts))
        set_observed(whole, np.asarray(ours.loss), made, theirs.loss)
        return [*rows, whole] if theirs.terms else [whole, *rows]

    def _exact_loss(self, trace: Trace, terms: list[Term]
                    ) -> tuple[Bounded, list[Bounded], list[Bounded]]:
        """(the loss with all penalties, each output's by itself, their shares of the gradient of
        the loss without penalties)."""
        found = [term_loss(trace, term, loss_input(trace, term)) for term in terms]
        values = [value for value, _ in found]
        weights: list[dict[str, Bounded]] = [
            {name: Held(weight, self.rounding) for name, weight in part.weights.items()}
            for part in trace.parts]
        outputs = [Bounded(part.output, self.rounding) for part in trace.parts]
        return (with_penalties(trace, summed(trace, terms, values), weights, outputs), values,
                [gradient for _, gradient in found])

    def update(self) -> list[Row]:
        """Rows for each weight after one step: of the optimizer, on the reference's gradients, or,
        for what the forward pass itself changes, of the layer on the reference's input."""
        right, made = self._stepped()
        rows = []
        for i in self.positions:
            ours, theirs = self.candidate.parts[i], self.reference.parts[i]
            for name, expected in theirs.updated.items():
                if name not in ours.updated or (i, name) not in made:
                    rows.append(mismatch(Gate.UPDATE, ours.name, name, ours.updated.get(name),
                                         expected))
                    continue
                row = judge(Gate.UPDATE, ours.name, name, made[i, name], expected, right[i, name])
                row = self._at_first(i, name, row)
                set_observed(row, ours.updated.get(name), made[i, name], expected)
                rows.append(row)
            rows += [mismatch(Gate.UPDATE, ours.name, name, ours.updated[name], None)
                     for name in ours.updated.keys() - theirs.updated.keys()]
        return rows

    def _at_first(self, i: int, name: str, row: Row) -> Row:
        """The row, or one on what the candidate's recorded pass, its first, made of a weight that
        the pass itself changes, if that is wrong: a layer may remember that it has been run."""
        ours = self.candidate.parts[i]
        if self.ops is None or not row.passed or name in ours.weight_gradients:
            return row
        result, _ = self.ops[i].attempt(_copy(ours.input), None, _copy(ours.noise))
        again, recorded = result.updated.get(name), ours.updated[name]
        if again is None or np.array_equal(again, recorded, equal_nan=True):
            return row
        right = moved_on(self.candidate, ours)[name]
        first = judge(row.gate, ours.name, name, recorded, right.value.astype(recorded.dtype),
                      right)
        if first.passed:
            return row
        first.note = FIRST
        return first

    def _stepped(self) -> tuple[Steps, dict[tuple[int, str], np.ndarray]]:
        """(what each updated weight should be, what the candidate makes of it), by part and name.
        """
        right: dict[tuple[int, str], Bounded] = {}
        made: dict[tuple[int, str], np.ndarray] = {}
        for i, theirs in enumerate(self.reference.parts):
            for name, value in moved_on(self.reference, theirs).items():
                right[i, name] = value
            if right and self.ops is not None and any(key[0] == i for key in right):
                found = self.ops[i].attempt(_copy(theirs.input), None,
                                            _copy(theirs.noise))[0].updated
                made.update({(i, name): value for name, value in found.items()})
        steps: Steps = right
        if self.reference.y is not None:  # of which some go on from there
            steps = FirstStep(self.reference, right)
        if self.model is not None and self.reference.y is not None:
            trained = learned(self.reference)
            parts = self.reference.parts
            weights = stepped(self.model, [total_gradient(parts, i, name) for i, name in trained],
                              [made.get((i, name), parts[i].weights[name])
                               for i, name in trained],
                              [(self.candidate.parts[i].layer, name) for i, name in trained])
            made.update(zip(trained, weights))
        if self.model is None:
            steps = self._transferred_steps(dict(steps), made)
        return steps, made

    def _transferred_steps(self, right: dict[tuple[int, str], Bounded],
                           made: dict[tuple[int, str], np.ndarray]) -> Steps:
        """The candidate's recorded ops, moved to the reference's weights and gradients."""
        own = {(i, name): value for i, ours in enumerate(self.candidate.parts)
               for name, value in moved_on(self.candidate, ours).items()}
        if self.candidate.y is not None:  # of which some go on from there
            own.update(FirstStep(self.candidate))
        for (i, name), value in own.items():
            array = self.candidate.parts[i].updated.get(name)
            if array is not None and (i, name) in right and value.shape == right[i, name].shape:
                made[i, name], right[i, name] = moved(array, value, right[i, name])
        return right

    def _inference(self, i: int, ours: Part, theirs: Part, right: Bounded) -> list[Row]:
        """The row for a layer's output outside of training, whether or not it is another one there.
        Of traces alone only those layers are judged for which it is.

        Args:
            right: what the layer should put out in training.
        """
        if (theirs.inference is None) != (ours.inference is None):
            return [mismatch(Gate.INFERENCE, ours.name, "output", ours.inference, theirs.inference)]
        if theirs.inference is None and (self.ops is None or not self.reference.training):
            return []
        expected = theirs.output
        if theirs.inference is not None:
            expected, right = theirs.inference, inference(self.reference, theirs)
        if self.ops is not None:
            result, errors = self.ops[i].attempt(_copy(theirs.input), training=False)
            if errors:
                return [raised(Gate.INFERENCE, ours.name, "output", errors["forward"])]
            made = result.output
        else:
            assert ours.inference is not None  # as the reference's is not, see above
            made, right = moved(ours.inference, inference(self.candidate, ours), right)
        row = judge(Gate.INFERENCE, ours.name, "output", made, expected, right)
        set_observed(row, ours.output if ours.inference is None else ours.inference, made, expected)
        return [row if not row.passed or self.ops is None else
                self._of_one_sample(self.ops[i], ours.name, theirs) or row]

    def _of_one_sample(self, op: Op, name: str, theirs: Part) -> Row | None:
        """The row for the first sample in a batch of its own, if that is not what it should be: a
        squeeze() drops its axis, a sum over the batch is right by chance."""
        if len(theirs.output) < 2:
            return None
        alone = replace(theirs, input=_first(theirs.input))
        right = inference(self.reference, alone)
        result, errors = op.attempt(_copy(alone.input), training=False)
        if errors:
            return raised(Gate.INFERENCE, name, "output", f"{ONE_SAMPLE}: {errors['forward']}")
        policy = policy_of(layer_config(self.reference, theirs.layer))
        row = judge(Gate.INFERENCE, name, "output", result.output,
                    rounded(right.value.astype(self.dtype), policy.compute), right)
        row.note = f"{ONE_SAMPLE}{': ' if row.note else ''}{row.note}"
        return None if row.passed else row


def _first(x: Arrays) -> Arrays:
    """The first sample of an input, or of each of several, as a batch of one."""
    return tuple(each[:1] for each in x) if isinstance(x, tuple) else x[:1]


def moved(array: np.ndarray, own: Bounded, exact_: Bounded) -> tuple[np.ndarray, Bounded]:
    """A result computed from other inputs than the reference's, moved to those: error and all.

    Args:
        array: what was computed.
        own: what should have been, from the same inputs.
        exact_: what should have been from the reference's inputs.

    Returns:
        The exact result plus the array's own error, and the exact result with the wider of the two
        bounds, since that error was made under `own`'s.
    """
    if np.array_equal(own.value, exact_.value, equal_nan=True):
        return array, exact_
    error = array - own.value
    made = np.where(np.isfinite(error), exact_.value + error, array)
    return made, Bounded(exact_.value, exact_.rounding, np.maximum(own.bound, exact_.bound))


def set_observed(row: Row, ours: ArrayLike | None, made: ArrayLike | None,
                 theirs: ArrayLike | None) -> None:
    """Fill in how far the freely running networks differ, and whose doing it is."""
    if ours is None or theirs is None or np.shape(ours) != np.shape(theirs):
        return
    ours, made, theirs = (np.asarray(array, np.float64) for array in (ours, made, theirs))
    if not ours.size:
        return
    worst = np.unravel_index(np.argmax(distance(ours, theirs)), ours.shape)
    row.observed = _gap(ours[worst], theirs[worst])
    row.local = _gap(made[worst], theirs[worst])
    row.inherited = _gap(ours[worst], made[worst])


def _gap(a: np.ndarray, b: np.ndarray) -> float:
    """a - b; 0 where both are NaN, or the same infinity."""
    with np.errstate(invalid="ignore"):
        return float(a - b) if distance(a, b) else 0.0


def _copy(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(each.copy() for each in value)
    return None if value is None else value.copy()
