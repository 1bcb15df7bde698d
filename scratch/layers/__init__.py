"""The layers, one family to a file. Names, arguments and defaults are Keras's.

In shapes, N or `batch` is the number of samples; H, W and C are an image's rows, columns and
channels; L is the number of steps of a sequence; an O before one of them is the output's. The
examples take `import numpy as np` and `import scratch` for granted.
"""

from scratch.layers.activation import Activation
from scratch.layers.activity_regularization import ActivityRegularization
from scratch.layers.affine import AffineLayer
from scratch.layers.average_pooling import AveragePooling1D, AveragePooling2D
from scratch.layers.base import Layer
from scratch.layers.batch_normalization import BatchNormalization
from scratch.layers.borders import Cropping1D, Cropping2D, ZeroPadding1D, ZeroPadding2D
from scratch.layers.concatenate import Concatenate
from scratch.layers.conv1d import Conv1D
from scratch.layers.conv2d import Conv2D
from scratch.layers.conv2d_transpose import Conv2DTranspose
from scratch.layers.dense import Dense
from scratch.layers.depthwise_conv2d import DepthwiseConv2D
from scratch.layers.dropout import Dropout, SpatialDropout1D, SpatialDropout2D
from scratch.layers.flatten import Flatten
from scratch.layers.gaussian_noise import GaussianNoise
from scratch.layers.global_pooling import (
                                           GlobalAveragePooling1D,
                                           GlobalAveragePooling2D,
                                           GlobalMaxPooling1D,
                                           GlobalMaxPooling2D,
)
from scratch.layers.input import Input
from scratch.layers.layer_normalization import LayerNormalization
from scratch.layers.max_pooling import MaxPooling1D, MaxPooling2D
from scratch.layers.merging import Add, Average, Maximum, Minimum, Multiply, Subtract
from scratch.layers.rectifiers import ELU, LeakyReLU, PReLU, ReLU
from scratch.layers.reshape import Permute, Reshape
from scratch.layers.separable_conv2d import SeparableConv2D
from scratch.layers.softmax import Softmax
from scratch.layers.up_sampling import UpSampling1D, UpSampling2D

LAYERS = {cls.__name__: cls for cls in (
    Conv2D, ReLU, MaxPooling2D, Flatten, Dense, Softmax, Activation,
    LeakyReLU, PReLU, ELU,
    Conv1D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose,
    MaxPooling1D, AveragePooling1D, AveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D,
    GlobalAveragePooling1D, GlobalAveragePooling2D,
    Reshape, Permute, ZeroPadding1D, ZeroPadding2D, Cropping1D, Cropping2D, UpSampling1D,
    UpSampling2D,
    BatchNormalization, LayerNormalization, Dropout, SpatialDropout1D, SpatialDropout2D,
    GaussianNoise, ActivityRegularization,
    Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract,
)}

# Keras's other names; a config always carries the first.
Convolution1D, Convolution2D, Convolution2DTranspose = Conv1D, Conv2D, Conv2DTranspose
SeparableConvolution2D = SeparableConv2D
MaxPool1D, MaxPool2D = MaxPooling1D, MaxPooling2D
AvgPool1D, AvgPool2D = AveragePooling1D, AveragePooling2D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D

# written out, so that type checkers and editors know every name, too
__all__ = [
    "AffineLayer", "Input", "Layer", "LAYERS",
    "Activation", "ActivityRegularization", "Add",
    "Average", "AveragePooling1D", "AveragePooling2D", "BatchNormalization", "Concatenate",
    "Conv1D", "Conv2D", "Conv2DTranspose", "Cropping1D", "Cropping2D", "Dense",
    "DepthwiseConv2D", "Dropout", "ELU", "Flatten", "GaussianNoise", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "LayerNormalization",
    "LeakyReLU", "MaxPooling1D", "MaxPooling2D", "Maximum", "Minimum", "Multiply", "PReLU",
    "Permute", "ReLU", "Reshape", "SeparableConv2D", "Softmax", "SpatialDropout1D",
    "SpatialDropout2D", "Subtract", "UpSampling1D", "UpSampling2D", "ZeroPadding1D",
    "ZeroPadding2D", "Convolution1D", "Convolution2D", "Convolution2DTranspose",
    "SeparableConvolution2D", "MaxPool1D", "MaxPool2D", "AvgPool1D", "AvgPool2D",
    "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalAvgPool1D", "GlobalAvgPool2D",
]

ALIASES = [name for name in __all__[4:] if name not in LAYERS]
