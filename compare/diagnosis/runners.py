"""Whoever computed a wrong tensor, as something that can be run again on other numbers."""

import numpy as np

from compare.diagnosis.computation import LayerComputation
from compare.tracing.layer_error import RAISED
from compare.tracing.ops import ActivationOp, rebuild, untouched_generator
from compare.tracing.tensor_names import results_by_name
from compare.tracing.trace import copied


class Results(dict):
    """Arrays by tensor name.

    Attributes:
        slack: by tensor name, how far rounding may have led away what was recovered, not shown.
    """

    def __init__(self, arrays: dict, slack: dict | None = None):
        super().__init__({name: np.array(array) for name, array in arrays.items()
                          if array is not None and np.asarray(array).dtype.kind in "fiub"})
        self.slack = slack or {}


class StepRunner:
    """An op of the candidate.

    Args:
        back: whether it is run back, too; a port for inference has no backward pass.
    """

    def __init__(self, op, back: bool = True):
        self.op, self.back = op, back

    def run(self, c: LayerComputation) -> Results:
        """All results, as far as the op gets; arrays of their own. The op's weights stay."""
        return self.run_on(c, copied(c.x), None if c.dy is None else np.array(c.dy))

    def run_on(self, c: LayerComputation, x, dy) -> Results:
        """The same on these very arrays."""
        with untouched_generator(), self.op.holding(c.weights):
            result, errors = self.op.attempt(x, dy if self.back else None, c.weights.get("noise"),
                                             c.training)
        found = result.tensors
        for phase, tensor in (("forward", "output"), ("backward", "input_gradient")):
            array = getattr(errors.get(phase), "array", None)
            if array is not None and errors[phase].phase == phase:  # of another shape
                found[tensor] = array
        return Results(found, result.slack)

    def smaller(self, shape) -> "StepRunner | None":
        """The same for inputs of another shape; None where it cannot be made for them."""
        if isinstance(self.op, ActivationOp):
            return self
        try:
            return StepRunner(type(self.op)(rebuild(self.op.layer, {}, shape), self.op.bare),
                              self.back)
        except RAISED:  # somebody's own class may not be made for being rebuilt
            return None


class FunctionRunner:
    """An op of the reference: a function (x, dy, weights, training) -> (output, dx, gradients)."""

    def __init__(self, function):
        self.function = function

    def run(self, c: LayerComputation) -> Results:
        """As `StepRunner.run`."""
        return Results(results_by_name(*self.function(c.x, c.dy, c.weights, c.training)))

    def smaller(self, shape) -> None:
        """A reference is run as it is."""
        return None
