"""Steps of a Keras model's optimizer from any state."""

import numpy as np

from reference.failures import naming_part
from reference.model import copied, fresh_optimizer, rate_dtype, rule_of
from reference.ops import held
from reference.quiet import precision, tf

# what Adamax, Adafactor and the base of all call them
SHORT = {"momentum": "_m", "norm": "_u", "row": "_r", "column": "_c", "velocity": "_v",
         "average": "_model_variables_moving_average",
         "gradient_accumulator": "_accumulated_gradients"}


def u_product(optimizer, iteration: int):
    """The product that Nadam keeps, after so many steps; multiplied in its own precision."""
    product = optimizer._u_product.numpy().dtype.type(1)
    steps = iteration // (optimizer.gradient_accumulation_steps or 1)
    for step in range(1, steps + 1):
        product = product * optimizer.beta_1 * (1 - 0.5 * product.dtype.type(0.96) ** step)
        if not product:  # it has underflown
            break
    return product


class OptimizerSteps:
    """A fresh copy of a model's optimizer, whose state is set before each step.

    Args:
        model: a compiled Keras model.
        variables: those of its variables that are trained.
        shapes: for each of them that of what stands in its place.
    """

    def __init__(self, model, variables: list, shapes: list[tuple[int, ...]]) -> None:
        self.dtype = rate_dtype(model)
        with precision(self.dtype):
            self.copies = [copied(v, np.zeros(shape)) for v, shape in zip(variables, shapes)]
            self.optimizer = fresh_optimizer(model.optimizer, variables, self.copies)
            self.optimizer.build(self.copies)

    def step(self, iteration: int, weights: list[np.ndarray], gradients: list[np.ndarray],
             slots: list[dict[str, np.ndarray]]
             ) -> tuple[list[np.ndarray], list[dict[str, np.ndarray]]]:
        """(weights, slots) after one step from that state.

        Args:
            slots: for each weight, by names such as 'momentum' and 'velocity'.
        """
        optimizer = rule_of(self.optimizer)
        if optimizer is not self.optimizer:  # one that scales the loss, before its first step
            self.optimizer.dynamic_scale.assign(self.optimizer.initial_scale)
            self.optimizer.step_counter.assign(0)
        with precision(self.dtype), naming_part("an optimizer's step"):
            optimizer._iterations.assign(iteration)
            if hasattr(optimizer, "_u_product"):  # Nadam's, which follows from the iteration
                optimizer._u_product.assign(u_product(optimizer, iteration))
            for copy, weight in zip(self.copies, weights):
                copy.assign(weight)
            for i, of_weight in enumerate(slots):
                for name, value in of_weight.items():
                    self._slot(name, i).assign(value)
            self.optimizer.apply([tf.cast(g, copy.dtype)
                                  for g, copy in zip(gradients, self.copies)], self.copies)
        return ([held(np.array(copy.numpy())) for copy in self.copies],
                [{name: held(np.array(self._slot(name, i).numpy())) for name in of_weight}
                 for i, of_weight in enumerate(slots)])

    def _slot(self, name: str, position: int):
        plural = f"{name.removesuffix('y')}ies" if name.endswith("y") else f"{name}s"
        optimizer = rule_of(self.optimizer)
        for attribute in (plural, f"_{plural}", SHORT.get(name, plural)):
            if hasattr(optimizer, attribute):
                return getattr(optimizer, attribute)[position]
        raise ValueError(f"Expected an optimizer with {plural}. "
                         f"Received: {type(self.optimizer).__name__}")
