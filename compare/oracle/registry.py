"""Which oracle judges which layer, by Keras's names.

Each class says by `judges` what it is for. Every module of `layers/` is imported below, so that
a new layer's oracle need be named nowhere else.
"""

import importlib
import pkgutil

from compare.oracle import layers
from compare.oracle.base import ACTIVATIONS, LAYERS
from compare.oracle.making import known_oracle, oracle_for

__all__ = ["ACTIVATIONS", "LAYERS", "known_oracle", "oracle_for"]

for module in pkgutil.iter_modules(layers.__path__):
    importlib.import_module(f"{layers.__name__}.{module.name}")
