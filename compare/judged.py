"""The gates that hold numbers: forward, loss, backward and update, each step by itself.

Every step is run on the reference's own input and output gradient, so that what differs is this
step's doing. Beside it stands what the freely running networks differ by:
inherited + local = observed.
"""

import copy

import numpy as np

from compare.referee.bounded import Bounded, Rounding
from compare.referee.layers import referee_for
from compare.referee.losses import cross_entropy, sgd_step
from compare.row import Row, distance, judge, mismatch
from compare.trace import Part, Trace


class Judged:
    """Two traces of networks with the same layers, judged tensor by tensor.

    Args:
        candidate, reference: the traces.
        steps: the candidate's steps, to be run on the reference's inputs; None if it cannot be
            run, then the referee says what it should have made of its own inputs.
        model: the candidate's model, whose loss and optimizer are run; None likewise.
    """

    def __init__(self, candidate: Trace, reference: Trace, steps=None, model=None):
        self.candidate, self.reference, self.model = candidate, reference, model
        self.dtype = np.dtype(reference.dtype)
        self.rounding = Rounding.of(self.dtype)
        self.results = [self._judge_part(i, None if steps is None else steps[i])
                        for i in range(len(reference.parts))]

    def rows(self) -> list[Row]:
        """All rows, gate after gate."""
        rows = [row for result in self.results for row in result if row.gate == "forward"]
        rows += self.loss()
        rows += [row for result in reversed(self.results) for row in result
                 if row.gate == "backward"]
        return rows + self.update()

    def _judge_part(self, i: int, step) -> list[Row]:
        ours, theirs = self.candidate.parts[i], self.reference.parts[i]
        config = layer_config(self.reference, theirs.layer)
        referee = referee_for(theirs.class_name, config, theirs.part)
        exact = run_referee(referee, theirs, self.rounding)
        terms = referee.reductions(theirs.input.shape, theirs.output.shape)
        made = (self._run(step, theirs) if step is not None
                else self._transferred(ours, theirs, config, exact))
        rows = []
        for tensor, expected in tensors_of(theirs).items():
            gate = "forward" if tensor == "output" else "backward"
            if made.get(tensor) is None:
                rows.append(mismatch(gate, ours.name, tensor, made.get(tensor), expected))
                continue
            row = judge(gate, ours.name, tensor, made[tensor], expected, exact[tensor],
                        terms.get(tensor, 1))
            set_observed(row, tensors_of(ours).get(tensor), made[tensor], expected)
            rows.append(row)
        missing = tensors_of(ours).keys() - tensors_of(theirs).keys()
        rows += [mismatch("backward", ours.name, tensor, tensors_of(ours)[tensor], None)
                 for tensor in sorted(missing)]
        return rows

    def _run(self, step, theirs: Part) -> dict:
        """What the candidate's step makes of the reference's input and gradient."""
        return step.run(theirs.input.copy(), _copy(theirs.output_gradient)).named()

    def _transferred(self, ours: Part, theirs: Part, config, exact) -> dict:
        """The candidate's own results, moved to the reference's inputs; widens `exact` if need be.
        """
        referee = referee_for(ours.class_name, config, ours.part)
        own = run_referee(referee, ours, self.rounding)
        made = {}
        for tensor, array in tensors_of(ours).items():
            if tensor in own and tensor in exact and own[tensor].shape == exact[tensor].shape:
                made[tensor], exact[tensor] = moved(array, own[tensor], exact[tensor])
        return made

    def loss(self) -> list[Row]:
        """Rows for the loss and its gradient, computed from the reference's output."""
        ours, theirs = self.candidate, self.reference
        if theirs.loss is None or theirs.fused != ours.fused:
            return []
        value, gradient = self._exact_loss(theirs)
        if self.model is not None:
            function = copy.deepcopy(self.model.loss)
            made = function.forward(theirs.y, loss_input(theirs), theirs.fused or None)
            made_gradient = function.backward()
        else:
            own_value, own_gradient = self._exact_loss(ours)
            made, value = moved(np.asarray(ours.loss), own_value, value)
            made_gradient, gradient = moved(ours.loss_gradient, own_gradient, gradient)
        classes = loss_input(theirs).shape[-1]
        rows = [judge("loss", "loss", "value", made, theirs.loss, value,
                      classes * len(theirs.x)),
                judge("loss", "loss", "gradient", made_gradient, theirs.loss_gradient, gradient,
                      classes)]
        set_observed(rows[0], np.asarray(ours.loss), made, theirs.loss)
        set_observed(rows[1], ours.loss_gradient, made_gradient, theirs.loss_gradient)
        return rows

    def _exact_loss(self, trace: Trace):
        loss = trace.compile_config["loss"]
        name = loss["class_name"] if isinstance(loss, dict) else loss
        logits = trace.fused or (isinstance(loss, dict) and loss["config"].get("from_logits"))
        return cross_entropy(trace.y, Bounded(loss_input(trace), self.rounding), bool(logits),
                             "sparse" in name.lower(), self.dtype)

    def update(self) -> list[Row]:
        """Rows for each weight after one step of the optimizer on the reference's gradients."""
        rows = []
        for ours, theirs in zip(self.candidate.parts, self.reference.parts):
            for name, expected in theirs.updated.items():
                if name not in ours.updated:
                    rows.append(mismatch("update", ours.name, name, None, expected))
                    continue
                made, exact = self._updated(ours, theirs, name)
                row = judge("update", ours.name, name, made, expected, exact)
                set_observed(row, ours.updated.get(name), made, expected)
                rows.append(row)
            rows += [mismatch("update", ours.name, name, ours.updated[name], None)
                     for name in ours.updated.keys() - theirs.updated.keys()]
        return rows

    def _updated(self, ours: Part, theirs: Part, name: str):
        """(the candidate's step on the reference's gradient, the exact one)."""
        exact = self._exact_update(self.reference, theirs, name)
        if self.model is None:
            return moved(ours.updated[name], self._exact_update(self.candidate, ours, name), exact)
        optimizer = type(self.model.optimizer).from_config(self.model.optimizer.get_config())
        variable = theirs.weights[name].copy()
        optimizer.apply([theirs.weight_gradients[name]], [variable])
        return variable, exact

    def _exact_update(self, trace: Trace, part: Part, name: str) -> Bounded:
        return sgd_step(Bounded(part.weights[name], self.rounding),
                        Bounded(part.weight_gradients[name], self.rounding),
                        trace.compile_config["optimizer"]["config"])


def moved(array, own: Bounded, exact: Bounded) -> tuple[np.ndarray, Bounded]:
    """A result computed from other inputs than the reference's, moved to those: error and all.

    Args:
        array: what was computed.
        own: what should have been, from the same inputs.
        exact: what should have been from the reference's inputs.

    Returns:
        The exact result plus the array's own error, and the exact result with the wider of the two
        bounds, since that error was made under `own`'s.
    """
    if np.array_equal(own.value, exact.value, equal_nan=True):
        return array, exact
    error = array - own.value
    made = np.where(np.isfinite(error), exact.value + error, array)
    return made, Bounded(exact.value, exact.rounding, np.maximum(own.bound, exact.bound))


def run_referee(referee, part: Part, rounding: Rounding) -> dict[str, Bounded]:
    """What a part should have computed, by tensor name, from the inputs that its trace holds."""
    return exact_results(referee, part.input, part.weights, part.output_gradient, rounding)


def exact_results(referee, x, weights: dict, dy, rounding: Rounding) -> dict[str, Bounded]:
    """A referee's output on x and, unless dy is None, all its gradients, by tensor name."""
    held = {name: Bounded(value, rounding) for name, value in weights.items()}
    exact = {"output": referee.forward(Bounded(x, rounding), held)}
    if dy is not None:
        exact["input_gradient"], gradients = referee.backward(Bounded(dy, rounding))
        exact.update({f"{name}_gradient": value for name, value in gradients.items()})
    return exact


def tensors_of(part: Part) -> dict[str, np.ndarray]:
    """A part's results by tensor name: output, input_gradient, kernel_gradient ..."""
    named = {"output": part.output}
    if part.input_gradient is not None:
        named["input_gradient"] = part.input_gradient
    return {**named, **{f"{name}_gradient": g for name, g in part.weight_gradients.items()}}


def loss_input(trace: Trace) -> np.ndarray:
    """What the loss was computed from: the last softmax's input, or the output."""
    return trace.parts[-1].input if trace.fused else trace.parts[-1].output


def layer_config(trace: Trace, name: str) -> dict:
    """The config of the layer of that name."""
    return next(layer["config"] for layer in trace.config["layers"]
                if layer["config"].get("name") == name)


def set_observed(row: Row, ours, made, theirs) -> None:
    """Fill in how far the freely running networks differ, and whose doing it is."""
    if ours is None or np.shape(ours) != np.shape(theirs):
        return
    ours, made, theirs = (np.asarray(array, np.float64) for array in (ours, made, theirs))
    if not ours.size:
        return
    worst = np.unravel_index(np.argmax(distance(ours, theirs)), ours.shape)
    row.observed = _gap(ours[worst], theirs[worst])
    row.local = _gap(made[worst], theirs[worst])
    row.inherited = _gap(ours[worst], made[worst])


def _gap(a, b) -> float:
    """a - b; 0 where both are NaN, or the same infinity."""
    with np.errstate(invalid="ignore"):
        return float(a - b) if distance(a, b) else 0.0


def _copy(array):
    return None if array is None else array.copy()
