"""The layers, one family to a file. Names, arguments and defaults are Keras's."""

from scratch.layers.activation import Activation, ReLU, Softmax
from scratch.layers.base import AffineLayer, Layer
from scratch.layers.conv2d import Conv2D
from scratch.layers.dense import Dense
from scratch.layers.flatten import Flatten
from scratch.layers.input import Input
from scratch.layers.max_pooling2d import MaxPooling2D

LAYERS = {cls.__name__: cls
          for cls in (Conv2D, ReLU, MaxPooling2D, Flatten, Dense, Softmax, Activation)}

__all__ = ["AffineLayer", "Input", "Layer", "LAYERS", *LAYERS]
