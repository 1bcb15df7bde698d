"""Which operations of other runtimes may stand for which of Keras's layers.

ONNX spells them 'MaxPool', TFLite 'MAX_POOL_2D', JAX 'reduce_window_max'; of PyTorch's they are
the kinds in `compare.adapters.pytorch.kinds`, 'pool'.
"""

CONVOLUTIONS = ("Conv", "FusedConv", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D",
                "conv_general_dilated", "conv")
TRANSPOSED = ("ConvTranspose", "TRANSPOSE_CONV", "conv_general_dilated", "conv_transpose")
PRODUCTS = ("MatMul", "Gemm", "Einsum", "FULLY_CONNECTED", "BATCH_MATMUL", "dot_general",
            "linear")
MAXIMA = ("MaxPool", "MAX_POOL_2D", "reduce_window_max", "pool")
AVERAGES = ("AveragePool", "AVERAGE_POOL_2D", "reduce_window_sum", "reduce_window",
            "pool")
GLOBAL = ("GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax", "MEAN", "REDUCE_MAX",
          "reduce_sum", "reduce_max", "pool")
ACTIVATIONS = (
    "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Sigmoid", "HardSigmoid",
    "HardSwish", "Tanh", "Softplus", "Softsign", "Softmax", "LogSoftmax", "Clip", "Mish", "Exp",
    "ThresholdedRelu", "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "PRELU",
    "ELU", "GELU", "LOGISTIC", "HARD_SWISH", "TANH", "SOFTMAX", "LOG_SOFTMAX", "EXP", "MAXIMUM",
    "MINIMUM", "max", "min", "logistic", "tanh", "exp", "log1p", "erf", "relu", "relu6", "silu",
    "softplus", "elu", "selu", "gelu", "leaky_relu", "softmax", "log_softmax", "custom_jvp_call",
    "activation", "prelu")
SHAPINGS = ("Flatten", "Reshape", "RESHAPE", "reshape", "flatten")
NORMS = ("BatchNormalization", "LayerNormalization", "GroupNormalization",
         "InstanceNormalization", "RMSNormalization", "batch_norm", "layer_norm", "group_norm",
         "rms_norm")
ARITHMETIC = ("Add", "Sub", "Mul", "Div", "ADD", "SUB", "MUL", "DIV", "add", "sub", "mul", "div",
              "Sum", "ADD_N", "Max", "Min", "subtract", "multiply", "maximum", "minimum")
PADDINGS = ("Pad", "PAD", "PADV2", "MIRROR_PAD", "pad")
ENLARGING = ("Resize", "Upsample", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR",
             "broadcast_in_dim", "upsample")
JOINING = ("Concat", "CONCATENATION", "concatenate")
# Operations that only lay numbers out anew, or carry them on.
MOVES = ("Transpose", "Identity", "Cast", "Squeeze", "Unsqueeze", "TRANSPOSE", "SQUEEZE",
         "EXPAND_DIMS", "CAST", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "DEQUANTIZE",
         "transpose", "squeeze", "copy", "convert_element_type", "copy_p", "expand_dims",
         "moved", "identity", "dropout")

BEGINS: dict[str, tuple[str, ...]] = {
    **{f"{name}Conv{rank}D": CONVOLUTIONS for rank in (1, 2, 3)
       for name in ("", "Depthwise", "Separable")},
    **{f"Conv{rank}DTranspose": TRANSPOSED for rank in (1, 2, 3)},
    **{f"MaxPooling{rank}D": MAXIMA for rank in (1, 2, 3)},
    **{f"AveragePooling{rank}D": AVERAGES for rank in (1, 2, 3)},
    **{f"Global{name}Pooling{rank}D": GLOBAL for rank in (1, 2, 3) for name in ("Max", "Average")},
    **{f"ZeroPadding{rank}D": PADDINGS for rank in (1, 2, 3)},
    **{f"UpSampling{rank}D": ENLARGING for rank in (1, 2, 3)},
    "Dense": PRODUCTS, "EinsumDense": PRODUCTS, "Flatten": SHAPINGS, "Reshape": SHAPINGS,
    "BatchNormalization": (*NORMS, *ARITHMETIC), "LayerNormalization": (*NORMS, *GLOBAL),
    "GroupNormalization": (*NORMS, *GLOBAL), "Rescaling": ARITHMETIC, "Normalization": ARITHMETIC,
    **{name: ACTIVATIONS for name in ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU",
                                      "Softmax")},
    "Add": ARITHMETIC, "Subtract": ARITHMETIC, "Multiply": ARITHMETIC, "Average": ARITHMETIC,
    "Maximum": (*ARITHMETIC, *ACTIVATIONS), "Minimum": (*ARITHMETIC, *ACTIVATIONS),
    "Concatenate": JOINING,
}
# Layers that exporters compute together with the one before them.
FOLDED = ("BatchNormalization", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax",
          "Rescaling")
PADDED = ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")  # together with the one behind them


def begins(op: str, layer: str) -> bool:
    """Whether an operation may be the first of those that compute a layer of Keras's."""
    return op in BEGINS.get(layer, ())


def is_product(layer: str) -> bool:
    """Whether a layer of Keras's is a product with a kernel, and a bias."""
    return BEGINS.get(layer, ()) in (CONVOLUTIONS, TRANSPOSED, PRODUCTS)


def passes(op: str) -> bool:
    """Whether an operation may stand between two layers without being one."""
    return op in MOVES or op in PADDINGS
