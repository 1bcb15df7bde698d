"""An op as a function, and whether another one is the same function."""

import inspect
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reference.ops import Op, run_op

WRAPPED = ("build", "quantize")  # methods that Keras puts anew into each layer


@dataclass
class OpRun:
    """Runs one op alone: (x, dy, weights, training) -> see `run_op`."""

    op: Op

    def __call__(self, x, dy: np.ndarray | None, weights: dict, training: bool = True) -> tuple:
        return run_op(self.op, x, dy, weights, training)

    @cached_property
    def kind(self) -> Any:
        """What it computes from given weights: equal for two that are the same function; None where
        that cannot be told, as for a class of somebody's own, whose config need not say all."""
        layer = self.op.layer
        if not type(layer).__module__.startswith("keras.src.layers."):
            return None
        config = {key: value for key, value in layer.get_config().items()
                  if key != "name" and not key.endswith("_initializer")}
        functions = {name: id(value) for name, value in vars(layer).items()
                     if inspect.isroutine(value) and name not in WRAPPED}
        return (type(layer), layer.compute_dtype, self.op.part, self.op.merges, self.op.causal,
                layer.trainable, json.dumps(config, sort_keys=True, default=id),
                tuple(sorted(functions.items())),
                tuple((self.op.names[id(v)], tuple(v.shape), v.trainable)
                      for v in self.op.variables))
