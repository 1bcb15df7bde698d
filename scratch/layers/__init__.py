"""The layers, one family to a file. Names, arguments and defaults are Keras's.

In shapes, N or `batch` is the number of samples; H, W and C are an image's rows, columns and
channels; D is the number of planes of a volume, L that of steps of a sequence; an O before one of
them is the output's. The examples take `import numpy as np` and `import scratch` for granted.
"""

from scratch.layers.activation import Activation
from scratch.layers.activity_regularization import ActivityRegularization
from scratch.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from scratch.layers.affine import AffineLayer
from scratch.layers.alpha_dropout import AlphaDropout
from scratch.layers.attention import AdditiveAttention, Attention
from scratch.layers.average_pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
)
from scratch.layers.base import Layer
from scratch.layers.batch_normalization import BatchNormalization
from scratch.layers.bidirectional import Bidirectional
from scratch.layers.borders import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from scratch.layers.center_crop import CenterCrop
from scratch.layers.concatenate import Concatenate
from scratch.layers.conv1d import Conv1D
from scratch.layers.conv1d_transpose import Conv1DTranspose
from scratch.layers.conv2d import Conv2D
from scratch.layers.conv2d_transpose import Conv2DTranspose
from scratch.layers.conv3d import Conv3D
from scratch.layers.conv3d_transpose import Conv3DTranspose
from scratch.layers.conv_lstm1d import ConvLSTM1D
from scratch.layers.conv_lstm2d import ConvLSTM2D
from scratch.layers.conv_lstm3d import ConvLSTM3D
from scratch.layers.custom_scale_layer import CustomScaleLayer
from scratch.layers.dense import Dense
from scratch.layers.depthwise_conv1d import DepthwiseConv1D
from scratch.layers.depthwise_conv2d import DepthwiseConv2D
from scratch.layers.dot import Dot
from scratch.layers.dropout import (
    Dropout,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from scratch.layers.einsum_dense import EinsumDense
from scratch.layers.embedding import Embedding
from scratch.layers.encoding import CategoryEncoding, Discretization
from scratch.layers.flatten import Flatten
from scratch.layers.gaussian_dropout import GaussianDropout
from scratch.layers.gaussian_noise import GaussianNoise
from scratch.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from scratch.layers.group_normalization import GroupNormalization
from scratch.layers.grouped_query_attention import GroupedQueryAttention
from scratch.layers.gru import GRU
from scratch.layers.identity import Identity
from scratch.layers.input import Input
from scratch.layers.layer_normalization import LayerNormalization
from scratch.layers.layer_scale import LayerScale
from scratch.layers.lstm import LSTM
from scratch.layers.masking import Masking
from scratch.layers.max_pooling import MaxPooling1D, MaxPooling2D, MaxPooling3D
from scratch.layers.merging import Add, Average, Maximum, Minimum, Multiply, Subtract
from scratch.layers.multi_head_attention import MultiHeadAttention
from scratch.layers.normalization import Normalization
from scratch.layers.own_weight import OwnWeight
from scratch.layers.random_affine import (
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from scratch.layers.random_blur import RandomGaussianBlur
from scratch.layers.random_choices import RandomGrayscale, RandomInvert
from scratch.layers.random_colors import (
    RandomColorDegeneration,
    RandomColorJitter,
    RandomHue,
    RandomPosterization,
    RandomSaturation,
)
from scratch.layers.random_details import (
    AugMix,
    RandAugment,
    RandomErasing,
)
from scratch.layers.random_flip import RandomFlip
from scratch.layers.random_geometry import RandomElasticTransform, RandomPerspective
from scratch.layers.random_light import RandomBrightness, RandomContrast
from scratch.layers.random_sharpness import RandomSharpness
from scratch.layers.rectifiers import ELU, LeakyReLU, PReLU, ReLU
from scratch.layers.recurrent import Recurrent
from scratch.layers.repeat_vector import RepeatVector
from scratch.layers.rescaling import Rescaling
from scratch.layers.reshape import Permute, Reshape
from scratch.layers.resizing import Resizing
from scratch.layers.rms_normalization import RMSNormalization
from scratch.layers.separable_conv1d import SeparableConv1D
from scratch.layers.separable_conv2d import SeparableConv2D
from scratch.layers.simple_rnn import SimpleRNN
from scratch.layers.softmax import Softmax
from scratch.layers.spectral_normalization import SpectralNormalization
from scratch.layers.stochastic_depth import StochasticDepth
from scratch.layers.time_distributed import TimeDistributed
from scratch.layers.unit_normalization import UnitNormalization
from scratch.layers.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from scratch.layers.wrapper import KNOWN, Wrapper
from scratch.suggestions import did_you_mean

LAYERS = {cls.__name__: cls for cls in (
    Conv2D, ReLU, MaxPooling2D, Flatten, Dense, Softmax, Activation,
    LeakyReLU, PReLU, ELU,
    Conv1D, Conv3D, DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D,
    Conv1DTranspose, Conv2DTranspose, Conv3DTranspose,
    MaxPooling1D, MaxPooling3D, AveragePooling1D, AveragePooling2D, AveragePooling3D,
    GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
    AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D,
    Reshape, Permute, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D, Cropping1D, Cropping2D,
    Cropping3D, UpSampling1D, UpSampling2D, UpSampling3D,
    BatchNormalization, LayerNormalization, Dropout, SpatialDropout1D, SpatialDropout2D,
    GaussianNoise, ActivityRegularization,
    GroupNormalization, RMSNormalization, UnitNormalization, Normalization, Rescaling,
    GaussianDropout, AlphaDropout, SpatialDropout3D, Identity, RepeatVector, CenterCrop, Resizing,
    Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract, Dot,
    EinsumDense, Attention, AdditiveAttention, MultiHeadAttention, GroupedQueryAttention,
    Embedding, CategoryEncoding, Discretization, Masking,
    TimeDistributed, SpectralNormalization,
    SimpleRNN, LSTM, GRU, Bidirectional, ConvLSTM1D, ConvLSTM2D, ConvLSTM3D,
    RandomFlip, RandomBrightness, RandomContrast, RandomHue, RandomSaturation,
    RandomColorDegeneration, RandomColorJitter, RandomGrayscale, RandomInvert,
    RandomPosterization, RandomSharpness, RandomGaussianBlur, RandomErasing, RandAugment,
    AugMix, RandomTranslation, RandomRotation, RandomZoom, RandomShear, RandomPerspective,
    RandomElasticTransform,
    CustomScaleLayer, LayerScale, StochasticDepth,  # of keras.applications
    OwnWeight,  # of custom layers
)}
KNOWN.update(LAYERS)

# What Keras calls the class by that name of keras.layers and of configs; layers are named by the
# former: grouped_query_attention.
OWN_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}
IN_CONFIGS = {own: name for name, own in OWN_NAMES.items()}

# Keras's other names; a config always carries the first.
GroupQueryAttention = GroupedQueryAttention
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D

# written out, so that type checkers and editors know every name, too
__all__ = [
    "AffineLayer", "Input", "Layer", "LAYERS", "Recurrent", "Wrapper",
    "Activation", "ActivityRegularization", "Add",
    "Average", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "BatchNormalization",
    "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D",
    "Conv3DTranspose", "Cropping1D", "Cropping2D", "Cropping3D", "Dense", "DepthwiseConv1D",
    "DepthwiseConv2D", "Dropout", "ELU", "Flatten", "GaussianNoise", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "GlobalMaxPooling3D", "LayerNormalization", "LeakyReLU", "MaxPooling1D", "MaxPooling2D",
    "MaxPooling3D", "Maximum", "Minimum", "Multiply", "PReLU", "Permute", "ReLU", "Reshape",
    "SeparableConv1D", "SeparableConv2D", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
    "Subtract", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D",
    "AlphaDropout", "CenterCrop", "Dot", "GaussianDropout", "GroupNormalization", "Identity",
    "Normalization", "RMSNormalization", "RepeatVector", "Rescaling", "Resizing",
    "SpatialDropout3D", "UnitNormalization",
    "AdditiveAttention", "Attention", "CustomScaleLayer", "EinsumDense", "Embedding", "LayerScale",
    "OwnWeight",
    "CategoryEncoding", "Discretization", "Masking",
    "MultiHeadAttention", "GroupedQueryAttention", "StochasticDepth", "TimeDistributed",
    "SpectralNormalization",
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
    "GRU", "LSTM", "SimpleRNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
    "RandomFlip", "RandomBrightness", "RandomContrast", "RandomHue", "RandomSaturation",
    "RandomColorDegeneration", "RandomColorJitter", "RandomGrayscale", "RandomInvert",
    "RandomPosterization", "RandomSharpness", "RandomGaussianBlur", "RandomErasing",
    "RandAugment", "AugMix", "RandomTranslation", "RandomRotation", "RandomZoom", "RandomShear",
    "RandomPerspective", "RandomElasticTransform",
    "GroupQueryAttention", "Convolution1D", "Convolution1DTranspose", "Convolution2D",
    "Convolution2DTranspose", "Convolution3D", "Convolution3DTranspose", "SeparableConvolution1D",
    "SeparableConvolution2D", "MaxPool1D", "MaxPool2D", "MaxPool3D", "AvgPool1D", "AvgPool2D",
    "AvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D", "GlobalAvgPool1D",
    "GlobalAvgPool2D", "GlobalAvgPool3D",
]

ALIASES = [name for name in __all__[6:] if name not in LAYERS]


def __getattr__(name: str):
    """Called for a name that is not here.

    Raises:
        AttributeError: always; for what looks like a layer it says what to do.
    """
    said = f"module {__name__!r} has no attribute {name!r}"
    if name[:1].isupper():
        raise AttributeError(f"{said}.{did_you_mean(name, __all__)} scratch has these layers: "
                             f"{', '.join(sorted(LAYERS))}. A layer of your own that does what "
                             f"Keras's {name} does can still be checked: see compare.wrap.")
    raise AttributeError(said)
