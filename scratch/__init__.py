"""A convolutional network written from scratch in NumPy, spelled as in Keras.

Read in this order: `layers/dense.py`, `layers/activation.py`, `layers/conv2d.py` with `windows.py`,
`layers/max_pooling2d.py`, `sequential.py`, `losses.py`, `optimizers.py`, `training.py`.
"""

from scratch import activations, initializers, layers, losses, metrics, optimizers
from scratch.errors import NonFiniteLossError, UnsupportedError
from scratch.history import History
from scratch.layers import (Activation, Conv2D, Dense, Flatten, Input, Layer, MaxPooling2D, ReLU,
                            Softmax)
from scratch.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy
from scratch.optimizers import SGD
from scratch.seed import set_random_seed
from scratch.sequential import Sequential

__all__ = [
    "Activation", "CategoricalCrossentropy", "Conv2D", "Dense", "Flatten", "History", "Input",
    "Layer", "MaxPooling2D", "NonFiniteLossError", "ReLU", "SGD", "Sequential", "Softmax",
    "SparseCategoricalCrossentropy", "UnsupportedError", "activations", "initializers", "layers",
    "losses", "metrics", "optimizers", "set_random_seed",
]
