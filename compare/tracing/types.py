"""Types of what is handed about: arrays, weights, configs, and networks of either kind."""

from typing import Any

import numpy as np

Arrays = np.ndarray | tuple[np.ndarray, ...]  # of one input, or of a layer's several
Weights = dict[str, np.ndarray]  # by name; also gradients
Config = dict[str, Any]  # as Keras has it
Noise = dict[int, np.ndarray]  # by the position of the layer that uses it
# Keras has no types, and a layer or model of somebody's own need only behave like scratch's.
Network = Any
Layer = Any
