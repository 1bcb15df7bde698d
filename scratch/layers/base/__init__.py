"""What every layer is. `layer.py` has its life, and is enough to read or to write a layer.

Beside it stands what surrounds a layer: its weights, its config, its precision, the masks that come
with its inputs, the places in a network at which it is called.
"""

from scratch.layers.base.layer import Layer

__all__ = ["Layer"]
