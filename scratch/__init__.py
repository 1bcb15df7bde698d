"""A convolutional network written from scratch in NumPy, spelled as in Keras.

Read in this order: `layers/dense.py`, `layers/activation.py`, `layers/conv2d.py` with `windows.py`,
`layers/max_pooling.py`, `sequential.py`, `model.py`, `losses/`, `optimizers/`, `learner.py`,
`training/`.
"""

from scratch import (
                     activations,
                     callbacks,
                     constraints,
                     initializers,
                     layers,
                     losses,
                     metrics,
                     operations,
                     optimizers,
                     precision,
                     regularizers,
                     stepwise,  # noqa: F401  which a TimeDistributed around a model is
                     utils,
)
from scratch.errors import NonFiniteLossError, UnsupportedError
from scratch.history import History
from scratch.layers import *  # noqa: F403  every layer by its name
from scratch.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy
from scratch.model import Model
from scratch.models import clone_model, load_model, model_from_config, model_from_json
from scratch.optimizers import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Muon,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
)
from scratch.seed import set_random_seed
from scratch.sequential import Sequential

__all__ = [
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "CategoricalCrossentropy",
    "Ftrl", "History", "Lamb", "Lion", "Model", "Muon", "Nadam", "NonFiniteLossError", "RMSprop",
    "SGD", "ScheduleFreeAdamW", "Sequential",
    "SparseCategoricalCrossentropy", "UnsupportedError", "activations", "callbacks", "clone_model",
    "constraints", "initializers", "layers", "load_model", "losses", "metrics", "model_from_config",
    "model_from_json", "operations", "optimizers", "precision",
    "regularizers", "set_random_seed", "utils",
]
__all__ += layers.__all__  # every layer by its name


def __getattr__(name: str):
    """Called for a name that is not here: a layer, perhaps, that `layers` says more about."""
    if name[:1].isupper():
        return getattr(layers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
