"""The module as its owner runs it, from end to end: only then do all its seams show."""

import numpy as np
import torch

from compare.adapters.untouched import Untouched
from compare.tracing.layer_error import RAISED, sentence


class Whole:
    """A module, with the weights that are compared.

    Args:
        model: the candidate that was made of it.
        loading: a `Loading`.
        channels_first: whether it takes its input so.
        last: the last of Keras's places.
        call: the module's last call, None where it leaves the last place to its loss.
        said: sentences on how its parts were paired.
    """

    def __init__(self, model, loading, channels_first: bool, last, call, said: list[str]):
        self.loading, self.channels_first = loading, channels_first
        self.shape = tuple(model.output_shape[1:])
        self.ending = "softmax" if call is None and last.is_softmax else \
            "exp" if call is not None and call.kind == "log_softmax" else ""
        self.said = said

    def __deepcopy__(self, memo):
        return self  # nothing in it changes

    @property
    def notes(self) -> list[str]:
        """Sentences for the report."""
        return [("Keras's weights were copied into a copy of the PyTorch module, dense kernels "
                 "behind a flattening with their rows permuted." if self.loading.copied else
                 "The PyTorch module is compared with its own weights."), *self.said]

    def untouched(self, x: np.ndarray, turned=()) -> Untouched:
        """What the module makes of a batch of Keras's, at inference.

        Args:
            turned: positions of dense layers whose kernels' rows are permuted first.
        """
        found = Untouched(seams=list(self.loading.seams))
        module = self.loading.module
        for position in turned:
            module = self.loading.mended(position)
        dtype = next((p.dtype for p in module.parameters()), torch.float32)
        try:
            with torch.no_grad():
                y = module.eval()(as_input(x, self.channels_first, dtype))
        except RAISED as error:  # somebody's module may raise anything
            found.reason = f"the module raised {sentence(error)}"
            return found
        if self.ending:
            y = torch.softmax(y, -1) if self.ending == "softmax" else y.exp()
        output = y.numpy()
        moved = np.moveaxis(output, 1, -1) if output.ndim > 2 else output
        fitting = [each for each in (moved, output, output.reshape(len(output), -1))
                   if each.shape[1:] == self.shape]
        if not fitting:
            found.reason = f"its output is of shape {output.shape}, not {(len(x), *self.shape)}"
            return found
        found.output = np.array(fitting[0], x.dtype)
        return found


def as_input(x: np.ndarray, channels_first: bool, dtype: torch.dtype) -> torch.Tensor:
    """A batch of Keras's as a module takes it, contiguous in memory: modules that call `view` need
    it so."""
    return torch.tensor(np.array(np.moveaxis(x, -1, 1) if channels_first else x, order="C"),
                        dtype=dtype)
