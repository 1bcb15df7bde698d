"""What a module or a function of PyTorch's may stand for among Keras's layers."""

from torch import nn

# What both a module of this class, or one derived from it, and a layer of these kinds are.
MODULES: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("identity", (nn.Identity,)),
    ("conv", (nn.Conv1d, nn.Conv2d, nn.Conv3d)),
    ("conv_transpose", (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)),
    ("linear", (nn.Linear,)),
    ("batch_norm", (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)),
    ("layer_norm", (nn.LayerNorm,)),
    ("group_norm", (nn.GroupNorm,)),
    ("rms_norm", (nn.RMSNorm,)),
    ("prelu", (nn.PReLU,)),
    ("log_softmax", (nn.LogSoftmax,)),
    ("pool", tuple(getattr(nn, f"{name}Pool{rank}d") for rank in (1, 2, 3)
                   for name in ("Max", "Avg", "AdaptiveAvg", "AdaptiveMax"))),
    ("flatten", (nn.Flatten,)),
    ("dropout", (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout,
                 nn.FeatureAlphaDropout)),
    ("pad", (nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d, nn.ConstantPad1d, nn.ConstantPad2d,
             nn.ConstantPad3d)),
    ("upsample", (nn.Upsample,)),
)
ACTIVATIONS = "torch.nn.modules.activation"  # where all others of one input are defined

FUNCTIONS = {
    "activation": ("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish",
                   "sigmoid", "tanh", "softplus", "softsign", "hardsigmoid", "hardswish",
                   "hardtanh", "softmax", "clamp", "clip", "hardshrink", "softshrink",
                   "tanhshrink", "logsigmoid", "threshold", "exp"),
    "log_softmax": ("log_softmax",),
    "pool": ("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
             "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
             "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d", "mean", "amax"),
    "flatten": ("flatten", "view", "reshape"),
    "dropout": ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"),
    "add": ("add", "add_"),
    "subtract": ("sub", "sub_"),
    "multiply": ("mul", "mul_"),
    "maximum": ("maximum", "max"),
    "minimum": ("minimum", "min"),
    "concatenate": ("cat", "concat", "concatenate"),
    "pad": ("pad",),
    "upsample": ("interpolate", "upsample"),
    "moved": ("permute", "transpose", "movedim", "moveaxis", "contiguous", "squeeze", "unsqueeze",
              "clone", "to", "float", "double"),
}
OF_FUNCTION = {name: kind for kind, names in FUNCTIONS.items() for name in names}

KERAS = {
    "conv": ("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D"),
    "conv_transpose": ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    "linear": ("Dense",),
    "batch_norm": ("BatchNormalization",),
    "layer_norm": ("LayerNormalization",),
    "group_norm": ("GroupNormalization",),
    "rms_norm": ("RMSNormalization",),
    "prelu": ("PReLU",),
    "activation": ("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax"),
    "pool": tuple(f"{name}{rank}D" for rank in (1, 2, 3) for name in
                  ("MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling")),
    "flatten": ("Flatten", "Reshape"),
    "dropout": ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
                "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    "pad": ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"),
    "upsample": ("UpSampling1D", "UpSampling2D", "UpSampling3D"),
    "add": ("Add",), "subtract": ("Subtract",), "multiply": ("Multiply",),
    "maximum": ("Maximum",), "minimum": ("Minimum",), "concatenate": ("Concatenate",),
    "identity": ("Identity",),
}
ORDERED = ("Subtract", "Concatenate")  # layers to which the order of their inputs matters
OPERATIONS = {  # keras.ops between layers, which stay this project's own
    "activation": ("Relu", "Relu6", "Selu", "Sigmoid", "Tanh", "Silu", "HardSigmoid", "HardSilu",
                   "Softplus", "Softsign", "Softmax", "Clip"),
    "add": ("Add",), "subtract": ("Subtract",), "multiply": ("Multiply",),
    "maximum": ("Maximum",), "minimum": ("Minimum",), "concatenate": ("Concatenate",),
    "flatten": ("Reshape",), "pool": ("Mean",),
}
OF_LAYER = {name: kind for kind, names in KERAS.items() for name in names} | {
    f"{name}Operation": kind for kind, names in OPERATIONS.items() for name in names}

CHANNELS_FIRST = ("conv", "conv_transpose", "batch_norm", "group_norm", "pool", "pad", "upsample")
FEATURES_LAST = ("linear", "layer_norm", "rms_norm")
ELEMENTWISE = ("activation", "dropout", "identity", "prelu")  # keep the order of numbers

# Where a module keeps a weight, by Keras's name of it.
PLACES = {"kernel": "weight", "bias": "bias", "depthwise_kernel": "weight", "gamma": "weight",
          "scale": "weight", "beta": "bias", "moving_mean": "running_mean",
          "moving_variance": "running_var", "alpha": "weight"}


def of_module(module: nn.Module) -> str | None:
    """The kind of a module that is run as one, None for one that is made of others.

    A module of somebody's own that is made of no others is 'own': it may stand for any layer.
    """
    for kind, classes in MODULES:
        if isinstance(module, classes):
            return kind
    if type(module).__module__ == ACTIVATIONS:
        return "activation"
    if type(module).__module__.startswith("torch.nn."):
        return None if any(True for _ in module.children()) else "other"
    return None if any(True for _ in module.children()) else "own"


def stands_for(kind: str, layer: str) -> bool:
    """Whether what is of this kind may stand for a layer of Keras's of that class."""
    if kind == "own":
        return True
    wanted = OF_LAYER.get(layer)
    return kind == wanted or (wanted == "activation" and kind in ("log_softmax", "prelu"))
