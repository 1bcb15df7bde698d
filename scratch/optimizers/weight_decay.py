"""Weight decay: the share of itself that a weight loses before a step, and which ones lose none."""

import collections
import re
from typing import Any

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.neighbours import Runs


class DecaysWeights:
    """Takes away from each weight its decay times the learning rate."""

    weight_decay: Any
    built: Any
    _excluded: tuple
    _decays: list[bool]
    _decay_runs: list[Runs]

    @property
    def decays(self) -> bool:
        """Whether there is a weight decay at all."""
        return self.weight_decay is not None

    def _decay(self, variables, positions, rate: float) -> None:
        alike: dict[Any, list[np.ndarray]] = collections.defaultdict(list)
        for position, variable in zip(positions, variables):
            if self._decays[position]:
                alike[self._decay_of(position)].append(variable)
        self._decay_runs += [Runs() for _ in range(len(alike) - len(self._decay_runs))]
        for runs, (share, weights) in zip(self._decay_runs, alike.items()):
            for weight, _ in runs.pairs(weights, weights) if share is not None else ():
                decay = as_keras_casts(share, weight.dtype)
                weight -= weight * decay * weight.dtype.type(rate)

    def _decay_of(self, position: int):
        """The weight decay of one weight, None for none, if it is not excluded."""
        return self.weight_decay

    def exclude_from_weight_decay(self, var_list=None, var_names=None) -> None:
        """Leave weights alone when they decay: these arrays, and all with such a word in their
        name 'layer/weight', such as 'bias' or the name of a layer. As with Keras on TensorFlow,
        where the model's name may stand before it.

        Raises:
            ValueError: once the optimizer has been built.
        """
        if self.built:
            raise ValueError(f"{type(self).__name__}: expected exclude_from_weight_decay before "
                             "the first step. Received: a call after it")
        self._excluded = (tuple(var_list or ()), tuple(var_names or ()))

    def excludes(self, variable: np.ndarray, name: str) -> bool:
        """Whether `exclude_from_weight_decay` told of this weight, or of a part of its name."""
        weights, words = self._excluded
        return (any(variable is other for other in weights)
                or any(re.search(word, name) for word in words))

    @property
    def telling_words(self) -> tuple:
        """Parts of weights' names by which some weights are treated otherwise."""
        return self._excluded[1]
