"""Which oracle judges which layer, by Keras's names."""

from compare.oracle.activations import (
    HardShrink,
    HardSigmoid,
    HardSiLU,
    HardTanh,
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    ReLU6,
    SoftShrink,
    SparsePlus,
    SparseSigmoid,
)
from compare.oracle.base import Chain, Oracle
from compare.oracle.convolution import Conv1D, Conv2D, Conv2DTranspose, DepthwiseConv2D
from compare.oracle.dense import Dense
from compare.oracle.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
)
from compare.oracle.merging import MERGING
from compare.oracle.noise import Dropout, GaussianNoise
from compare.oracle.normalization import BatchNormalization, LayerNormalization
from compare.oracle.pooling import AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
from compare.oracle.reshaping import (
    Cropping1D,
    Cropping2D,
    Flatten,
    Permute,
    Reshape,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from compare.oracle.separable import SeparableConv2D
from compare.oracle.smooth_activations import (
    CELU,
    ELU,
    GELU,
    SELU,
    Exponential,
    LogSigmoid,
    Mish,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Squareplus,
    Tanh,
    TanhShrink,
)
from compare.oracle.softmax import LogSoftmax, Softmax

LAYERS = {"Conv2D": Conv2D, "Conv1D": Conv1D, "DepthwiseConv2D": DepthwiseConv2D,
          "SeparableConv2D": SeparableConv2D, "Conv2DTranspose": Conv2DTranspose,
          "Dense": Dense, "MaxPooling2D": MaxPooling2D, "Flatten": Flatten,
          "MaxPooling1D": MaxPooling1D, "AveragePooling1D": AveragePooling1D,
          "AveragePooling2D": AveragePooling2D,
          "GlobalMaxPooling1D": GlobalMaxPooling1D, "GlobalMaxPooling2D": GlobalMaxPooling2D,
          "GlobalAveragePooling1D": GlobalAveragePooling1D,
          "GlobalAveragePooling2D": GlobalAveragePooling2D,
          "Reshape": Reshape, "Permute": Permute,
          "ZeroPadding1D": ZeroPadding1D, "ZeroPadding2D": ZeroPadding2D,
          "Cropping1D": Cropping1D, "Cropping2D": Cropping2D,
          "UpSampling1D": UpSampling1D, "UpSampling2D": UpSampling2D,
          "ReLU": ReLU, "LeakyReLU": LeakyReLU, "PReLU": PReLU, "ELU": ELU, "Softmax": Softmax,
          "BatchNormalization": BatchNormalization, "LayerNormalization": LayerNormalization,
          "Dropout": Dropout, "SpatialDropout1D": Dropout, "SpatialDropout2D": Dropout,
          "GaussianNoise": GaussianNoise, "ActivityRegularization": Linear,
          **MERGING}
ACTIVATIONS = {
    "linear": Linear, "relu": ReLU, "relu6": ReLU6, "leaky_relu": LeakyReLU, "elu": ELU,
    "selu": SELU, "celu": CELU, "gelu": GELU, "silu": SiLU, "mish": Mish, "sigmoid": Sigmoid,
    "hard_sigmoid": HardSigmoid, "hard_silu": HardSiLU, "log_sigmoid": LogSigmoid, "tanh": Tanh,
    "hard_tanh": HardTanh, "tanh_shrink": TanhShrink, "softplus": Softplus, "softsign": Softsign,
    "squareplus": Squareplus, "exponential": Exponential, "softmax": Softmax,
    "log_softmax": LogSoftmax, "hard_shrink": HardShrink, "soft_shrink": SoftShrink,
    "sparse_plus": SparsePlus, "sparse_sigmoid": SparseSigmoid,
}


def oracle_for(class_name: str, config: dict, part: str = "") -> Oracle:
    """The oracle of a layer, of the activation `part` inside it, or of both if part is 'whole'.

    Raises:
        ValueError: for a layer or an activation that has none.
    """
    named = config.get("activation")
    if part not in ("", "whole") and not isinstance(named, dict):
        named = part
    if class_name not in {*LAYERS, "Activation"} or _activation(named) is None:
        raise ValueError(f"Expected a layer that has an oracle: {', '.join(LAYERS)}, with one of "
                         f"the activations {', '.join(ACTIVATIONS)}. Received: {class_name} "
                         f"{config.get('name')!r} with {named!r}")
    if part == "whole":
        return Chain([LAYERS[class_name](config), _activation(named)])
    if part or class_name == "Activation":
        return _activation(named)
    return LAYERS[class_name](config)


def _activation(named) -> Oracle | None:
    """Of an activation by its name, or by the config of the layer that serves as one."""
    if isinstance(named, dict):
        known = LAYERS.get(named.get("class_name"))
        return known and known(named["config"])
    known = ACTIVATIONS.get(named or "linear")
    return known and known({})
