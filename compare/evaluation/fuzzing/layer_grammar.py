"""Every layer of the vocabulary, with the values its arguments are drawn from.

What Keras cannot do on every CPU, or does wrongly there, is not drawn: the rules below name each
such case as `compare.evaluation.deviations` declares it.
"""

import math

from compare.evaluation.fuzzing.grammar import (
    IMAGE,
    SEQUENCE,
    VECTOR,
    VOLUME,
    VOLUMES,
    Derived,
    Entry,
    channels,
    each,
    space,
)

ANY = (IMAGE, SEQUENCE, VECTOR, VOLUME)
LARGEST = 400  # numbers in a sample, beyond which nothing grows any more

NAMED_ACTIVATIONS = ("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish",
                     "sigmoid", "hard_sigmoid", "tanh", "softplus", "softsign", "softmax",
                     "log_softmax", "exponential", "celu", "hard_silu", "hard_tanh",
                     "hard_shrink", "soft_shrink", "log_sigmoid", "tanh_shrink", "squareplus",
                     "sparse_plus", "sparse_sigmoid")
ACTIVATION = (None, *NAMED_ACTIVATIONS)
INITIALIZERS = ("glorot_uniform", "glorot_normal", "he_normal", "he_uniform", "lecun_normal",
                "lecun_uniform", "random_normal", "random_uniform", "truncated_normal",
                "variance_scaling", "orthogonal", "ones")
REGULARIZER = (None, "l1", "l2", "l1_l2",
               {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.03},
                "registered_name": None})
SWITCH = (True, False)
FORMAT = ("channels_last", "channels_first")
AFFINE = {"activation": ACTIVATION, "use_bias": SWITCH, "kernel_initializer": INITIALIZERS,
          "bias_initializer": ("zeros", "ones", "random_normal"),
          "kernel_regularizer": REGULARIZER, "bias_regularizer": REGULARIZER,
          "activity_regularizer": (None, "l2", "l1")}


def windows_fit(arguments, shape, data_format, kernel="kernel_size") -> bool:
    """Whether at least one window fits into the image."""
    sizes = space(shape, data_format)
    spread = each(arguments.get("dilation_rate", 1), len(sizes))
    kernels = each(arguments.get(kernel, 2), len(sizes))
    if arguments.get("padding", "valid") != "valid":
        return True
    return all((k - 1) * d + 1 <= n for k, d, n in zip(kernels, spread, sizes))


def strided_or_dilated(arguments) -> bool:
    """Keras takes strides or dilation, not both at once."""
    strides = each(arguments.get("strides", 1), 2)
    return max(strides) == 1 or max(each(arguments.get("dilation_rate", 1), 2)) == 1


def bias_is_clear(arguments, shape, data_format) -> bool:
    """`bias_along_width`: where the last axis is as long as the bias."""
    if data_format == "channels_last" or not arguments.get("use_bias", True):
        return True
    filters = arguments.get("filters", shape[0] * arguments.get("depth_multiplier", 1))
    size = shape[-1]
    kernel, stride, spread = (each(arguments.get(key, 1), len(shape) - 1)[-1]
                              for key in ("kernel_size", "strides", "dilation_rate"))
    covered = 0 if arguments.get("padding") == "same" else (kernel - 1) * spread
    return -(-(size - covered) // stride) != filters or filters == 1


def pointwise_strided(arguments, shape, data_format) -> bool:
    """`strided_pointwise_gradient`: kernel size 1, strides over 1 that divide the sizes."""
    sizes = space(shape, data_format)
    strides = each(arguments.get("strides", 1), len(sizes))
    return (max(each(arguments["kernel_size"], len(sizes))) == 1 < max(strides)
            and all(n % stride == 0 for n, stride in zip(sizes, strides)))


def convolves(arguments, shape, data_format) -> bool:
    """Convolution: groups divide the channels; `channels_first_convolution` (with groups Keras
    hands it to XLA); not `pointwise_strided`."""
    groups = arguments.get("groups", 1)
    if channels(shape, data_format) % groups or arguments["filters"] % groups:
        return False
    volume = len(shape) == VOLUME  # whose channels Keras itself turns last
    if data_format == "channels_first" and not volume and (
            groups == 1 or arguments.get("padding") == "causal"):
        return False
    return (strided_or_dilated(arguments) and windows_fit(arguments, shape, data_format)
            and bias_is_clear(arguments, shape, data_format)
            and not pointwise_strided(arguments, shape, data_format))


def convolves_depthwise(arguments, shape, data_format) -> bool:
    """`unequal_depthwise_strides`; strides or dilation."""
    return (len(set(each(arguments.get("strides", 1), 2))) == 1 and strided_or_dilated(arguments)
            and windows_fit(arguments, shape, data_format)
            and bias_is_clear(arguments, shape, data_format))


def transposes(arguments, shape, data_format) -> bool:
    """Output padding below the strides; `channels_first_convolution`, `transposed_dilation`,
    `transposed_output_without_way_back`, `strided_pointwise_gradient`."""
    if data_format != "channels_last":
        return False
    axes, padding = len(shape) - 1, arguments.get("output_padding")
    kernel, strides = (each(arguments.get(key, 1), axes) for key in ("kernel_size", "strides"))
    if max(kernel) == 1 < max(strides):
        return False
    if padding is not None:
        if any(p >= s for p, s in zip(each(padding, axes), strides)):
            return False
        if arguments["padding"] == "same" and any(
                k % 2 == 0 and p == 0 for k, p in zip(kernel, each(padding, axes))):
            return False
    numbers = math.prod(shape[:-1]) * math.prod(strides) * arguments["filters"]
    return numbers <= (LARGEST if axes < 3 else 2 * LARGEST)


def convolves_steps(arguments, shape, data_format) -> bool:
    """A convolution of every step, and small states; `channels_first_convolution`."""
    step, kernel = shape[1:], each(arguments["kernel_size"], len(shape) - 2)
    if data_format != "channels_last" or not (
            strided_or_dilated(arguments) and windows_fit(arguments, step, data_format)):
        return False
    return not pointwise_strided(arguments, step, data_format) and (
        math.prod(shape[:-1]) * arguments["filters"] * math.prod(kernel) <= 4 * LARGEST)


def pools(arguments, shape, data_format) -> bool:
    return windows_fit(arguments, shape, data_format, "pool_size")


def pools_inside(arguments, shape, data_format) -> bool:
    """`average_pooling_beyond_image`, `max_pooling_beyond_volume`."""
    sizes = space(shape, data_format)
    inside = all(k <= n for k, n in zip(each(arguments["pool_size"], len(sizes)), sizes))
    return inside and pools(arguments, shape, data_format)


def pools_to_size(arguments, shape, data_format) -> bool:
    """`adaptive_pooling_to_one`; and nothing grows too much."""
    sizes = space(shape, data_format)
    to = each(arguments["output_size"], len(sizes))
    return min(sizes) > 1 < min(to) and grows(4)(arguments, shape, data_format)


def crops(arguments, shape, data_format) -> bool:
    """At least one pixel stays."""
    sizes = space(shape, data_format)
    cropping = each(arguments["cropping"], len(sizes))
    sums = [2 * c if isinstance(c, int) else sum(c) for c in cropping]
    return all(n > total for n, total in zip(sizes, sums))


def crops_sequence(arguments, shape, data_format) -> bool:
    """At least one step stays; the layer knows no data_format."""
    return shape[0] > sum(each(arguments["cropping"], 2))


def in_float32(arguments) -> tuple[str, ...]:
    """`pooling_of_volumes_in_float64`; `resizing_in_float64`."""
    return ("float32",)


def interpolates_in(arguments) -> tuple[str, ...]:
    """`interpolation_in_float64`."""
    return ("float32", "float64") if arguments["interpolation"] == "nearest" else ("float32",)


def grows(factor):
    """Only where the result stays small."""
    def fits(arguments, shape, data_format):
        numbers = 1
        for n in shape:
            numbers *= n
        return numbers * factor <= LARGEST
    return fits


def encodes(arguments, shape, data_format) -> bool:
    """`shape_of_joined_classes`; only where the result stays small."""
    if arguments.get("output_mode") != "one_hot" and len(shape) > VECTOR:
        return False
    return math.prod(shape) * arguments["num_tokens"] <= LARGEST


def inside_fits(arguments, shape, data_format) -> bool:
    """Whether the layer inside takes a step, by its own rules."""
    return inside_takes(arguments, shape[1:], data_format)


def inside_takes(arguments, shape, data_format) -> bool:
    """Whether the layer inside takes the whole input."""
    inner = arguments["layer"]
    entry = LAYERS[inner["class_name"]]
    return len(shape) in entry.ranks and entry.fits(
        {**{"axis": -1, "pool_size": 2, "strides": 1, "padding": "valid"}, **inner["config"]},
        shape, "channels_last")


def has_two(arguments, shape, data_format) -> bool:
    """A softmax over one number is constant, its gradient nothing but rounding."""
    axis = arguments.get("axis", -1)
    return shape[axis if axis < 0 else axis - 1] > 1


def groups_divide(arguments, shape, data_format) -> bool:
    """The channels, into groups of whole numbers of them."""
    axis = arguments.get("axis", -1)
    return shape[axis if axis < 0 else axis - 1] % arguments["groups"] == 0


def scale_fits(arguments, shape, data_format) -> bool:
    """Keras multiplies the scale along the last axes, whichever are named."""
    return arguments.get("axis") != 1 or shape[0] in (1, shape[-1])


def statistics_fit(arguments, shape, data_format) -> bool:
    """Mean and variance are given both or not at all."""
    return (arguments.get("mean") is None) == (arguments.get("variance") is None)


def three_channels(arguments, shape, data_format) -> bool:
    """Of colours, red, green and blue."""
    return channels(shape, data_format) == 3


def one_aspect(arguments, shape, data_format) -> bool:
    """The image is cut or framed, not both."""
    return not (arguments["crop_to_aspect_ratio"] and arguments["pad_to_aspect_ratio"])


def products_fit(arguments, shape, data_format) -> bool:
    """Only where the result stays small."""
    axis = arguments["axes"] if isinstance(arguments["axes"], int) else arguments["axes"][0]
    numbers = 1
    for n in shape:
        numbers *= n
    return (numbers // shape[axis if axis < 0 else axis - 1]) ** 2 <= LARGEST


def heads_fit(arguments, shape, data_format) -> bool:
    """Not where `bias_along_width` comes in: a bias of one number a head, and as many steps."""
    sizes = arguments.get("key_dim", arguments.get("head_dim")), arguments.get("value_dim")
    heads = {arguments.get(name) for name in ("num_heads", "num_query_heads",
                                              "num_key_value_heads")}
    return not arguments["use_bias"] or 1 not in sizes or shape[0] not in heads - {1}


def einsum_fits(arguments, shape, data_format) -> bool:
    """Whether equation, output_shape and bias_axes go together; `ellipsis_of_einsum_dense`, and
    `bias_along_width`, where another axis is as long as the bias."""
    if "..." in arguments["equation"] and len(shape) > SEQUENCE:
        return False
    source, rest = arguments["equation"].split(",")
    output = rest.split("->")[1]
    named = output.replace("...", "") if "..." in output else output[1:]
    said = arguments["output_shape"]
    said = [said] if isinstance(said, int) else list(said)
    if len(said) != len(named) or ("..." not in source and len(source) != len(shape) + 1):
        return False
    known = dict(zip(source[1:], shape)) if "..." not in source else {}
    agreed = all(known.get(letter, n) == n for letter, n in zip(named, said))
    if not agreed or any(letter not in named for letter in arguments["bias_axes"] or ""):
        return False
    return not any(letter != named[end] and said[named.index(letter)] == said[end]
                   for letter in arguments["bias_axes"] or "" if letter != named[-1]
                   for end in (0, -1))


EINSUM_OUTPUTS = {  # sizes of the output's axes: those of the input, or 2 and 4
    "(first, 2)": lambda shape: (shape[0], 2), "(2, last)": lambda shape: (2, shape[-1]),
    "(first, 2, 4)": lambda shape: (shape[0], 2, 4),
    "(first, second, 2)": lambda shape: (*shape[:2], 2),
    "(second, 2)": lambda shape: (*shape[1:2], 2)}
CONVOLUTION = {"filters": (3, 1, 2, 4), "kernel_size": (3, 1, 2, (2, 3), (1, 4), 5),
               "strides": (1, 2, (1, 2), (2, 1), 3), "padding": ("valid", "same"),
               "data_format": FORMAT, "dilation_rate": (1, 2, (1, 2)), "groups": (1, 2), **AFFINE}
DEPTHWISE = {"kernel_size": (3, 1, 2, (2, 3)), "strides": (1, 2), "padding": ("valid", "same"),
             "depth_multiplier": (1, 2), "data_format": FORMAT, "dilation_rate": (1, 2, (1, 2)),
             "activation": ACTIVATION, "use_bias": SWITCH,
             "depthwise_initializer": ("glorot_uniform", "he_normal"),
             "depthwise_regularizer": REGULARIZER, "bias_regularizer": REGULARIZER,
             "activity_regularizer": (None, "l2")}
TRANSPOSED = {"filters": (3, 1, 2), "padding": ("valid", "same"),
              "data_format": ("channels_last",), **AFFINE}
POOLING_2D = {"pool_size": (2, 1, 3, (2, 3), (3, 1)), "strides": (None, 1, 2, (2, 1)),
              "padding": ("valid", "same"), "data_format": FORMAT}
POOLING_3D = {"pool_size": (2, 1, (2, 1, 3), (1, 3, 2)), "strides": (None, 1, (2, 1, 3)),
              "padding": ("valid", "same"), "data_format": FORMAT}
POOLING_1D = {"pool_size": (2, 1, 3), "strides": (None, 1, 2, 3), "padding": ("valid", "same"),
              "data_format": FORMAT}
GLOBAL = {"data_format": FORMAT, "keepdims": (False, True)}
NORMALIZATION = {"epsilon": (1e-3, 1e-5), "center": SWITCH, "scale": SWITCH,
                 "gamma_regularizer": (None, "l2"), "beta_regularizer": (None, "l1"),
                 "trainable": SWITCH}
FLIPPED = Derived("reversed", lambda shape: tuple(range(len(shape), 0, -1)))
ROLLED = Derived("rolled", lambda shape: (*range(2, len(shape) + 1), 1))

MASK_VALUES = (0.0, -1.0, 0.5)
ALL = Derived("all", lambda shape: list(range(1, len(shape) + 1)))

RECURRENT = {"units": (3, 1, 4), "activation": ("tanh", "relu", "linear", "softsign", "softmax"),
             "use_bias": SWITCH, "return_sequences": SWITCH[::-1], "go_backwards": SWITCH[::-1],
             "unroll": SWITCH[::-1], "stateful": SWITCH[::-1],
             "zero_output_for_mask": SWITCH[::-1],
             "kernel_initializer": ("glorot_uniform", "he_normal"),
             "recurrent_initializer": ("orthogonal", "glorot_normal"),
             "bias_initializer": ("zeros", "random_normal"), "kernel_regularizer": REGULARIZER,
             "recurrent_regularizer": REGULARIZER, "bias_regularizer": REGULARIZER,
             "activity_regularizer": (None, "l2"), "recurrent_constraint": (None, "max_norm"),
             "dropout": (0.0, 0.3), "recurrent_dropout": (0.0, 0.0, 0.2), "seed": (None, 7)}
GATED = {**RECURRENT, "recurrent_activation": ("sigmoid", "hard_sigmoid", "tanh")}

OF_FILMS = {"filters": (2, 1, 3), "strides": (1, 2), "padding": ("valid", "same"),
            "dilation_rate": (1, 2), "data_format": ("channels_last",), **{
                key: values for key, values in GATED.items()
                if key not in ("units", "dropout", "recurrent_dropout", "seed", "stateful")},
            "unit_forget_bias": SWITCH}

ATTENDING = {"dropout": (0.0, 0.3), "seed": (None, 7), "use_causal_mask": (False, True)}
# of augmentations: what lies beyond the image, and how colours change
BEYOND = {"fill_mode": ("reflect", "constant", "wrap", "nearest"),
          "interpolation": ("bilinear", "nearest"), "fill_value": (0.0, 0.5), "seed": (None, 7),
          "data_format": FORMAT}
COLOUR = {"factor": (0.2, (0.1, 0.4)), "value_range": ((0, 255), (0, 1)), "seed": (None, 7),
          "data_format": FORMAT}

LAYERS: dict[str, Entry] = {
    "Conv2D": Entry((IMAGE,), CONVOLUTION, convolves),
    "Conv1D": Entry((SEQUENCE,), {**CONVOLUTION, "kernel_size": (3, 1, 2, 4),
                                  "strides": (1, 2), "dilation_rate": (1, 2),
                                  "padding": ("valid", "same", "causal")}, convolves),
    "Conv3D": Entry((VOLUME,), {**CONVOLUTION, "kernel_size": (2, 1, 3, (2, 1, 3), (1, 3, 2)),
                                "strides": (1, 2, (1, 2, 3)), "dilation_rate": (1, 2, (1, 2, 1))},
                    convolves),
    "DepthwiseConv1D": Entry((SEQUENCE,), {
        **DEPTHWISE, "kernel_size": (3, 1, 2), "strides": (1, 2, 3), "dilation_rate": (1, 2)},
        convolves_depthwise),
    "DepthwiseConv2D": Entry((IMAGE,), DEPTHWISE, convolves_depthwise),
    "SeparableConv2D": Entry((IMAGE,), {
        "filters": (3, 1, 2), **DEPTHWISE, "pointwise_initializer": ("glorot_uniform", "ones"),
        "pointwise_regularizer": REGULARIZER}, convolves_depthwise),
    "SeparableConv1D": Entry((SEQUENCE,), {
        "filters": (3, 1, 2), **DEPTHWISE, "kernel_size": (3, 1, 2), "strides": (1, 2, 3),
        "dilation_rate": (1, 2), "pointwise_initializer": ("glorot_uniform", "ones"),
        "pointwise_regularizer": REGULARIZER}, convolves_depthwise),
    "Conv1DTranspose": Entry((SEQUENCE,), {**TRANSPOSED, "kernel_size": (3, 1, 2, 4),
                                           "strides": (1, 2, 3), "output_padding": (None, 0, 1)},
                             transposes),
    "Conv3DTranspose": Entry((VOLUME,), {
        **TRANSPOSED, "kernel_size": (2, 1, 3, (2, 1, 3)), "strides": (1, 2, (1, 2, 1)),
        "output_padding": (None, 0, (0, 1, 0))}, transposes),
    "Conv2DTranspose": Entry((IMAGE,), {
        **TRANSPOSED, "kernel_size": (3, 1, 2, (2, 3)), "strides": (1, 2, (1, 2)),
        "output_padding": (None, 0, 1, (0, 1))}, transposes),
    "Dense": Entry(ANY, {"units": (4, 1, 2, 7), **AFFINE}),
    "EinsumDense": Entry((SEQUENCE, IMAGE), {
        "equation": ("...x,xy->...y", "abc,cd->abd", "abc,bcd->ad", "abc,bd->adc", "abc,cde->abde",
                     "abcd,de->abce", "abcd,bde->ace"),
        "output_shape": (3, *[Derived(said, sizes) for said, sizes in EINSUM_OUTPUTS.items()]),
        "bias_axes": (None, "d", "e", "y"), **{key: values for key, values in AFFINE.items()
                                              if key != "use_bias"}}, einsum_fits),
    "Embedding": Entry((VECTOR, SEQUENCE), {
        "input_dim": (7, 1, 30), "output_dim": (3, 1, 4),
        "embeddings_initializer": ("uniform", "random_normal", "ones"),
        "embeddings_regularizer": REGULARIZER, "activity_regularizer": (None, "l2"),
        "embeddings_constraint": (None, "max_norm"), "mask_zero": (False, True)},
        grows(4), classes="input_dim"),
    "CategoryEncoding": Entry((VECTOR, SEQUENCE, IMAGE), {
        "num_tokens": (5, 1, 9), "output_mode": ("multi_hot", "one_hot", "count")},
        encodes, classes="num_tokens"),
    "Masking": Entry((SEQUENCE, IMAGE), {"mask_value": MASK_VALUES}),
    "Discretization": Entry(ANY, {
        "bin_boundaries": ([-1.0, 0.5, 2.0], [0.0], [-0.1, 0.0, 0.0, 3.0]),
        "output_mode": ("int", "one_hot", "multi_hot", "count")},
        grows(5), stands_first=True),
    "MaxPooling2D": Entry((IMAGE,), POOLING_2D, pools),
    "AveragePooling2D": Entry((IMAGE,), POOLING_2D, pools_inside),
    "MaxPooling3D": Entry((VOLUME,), POOLING_3D, pools_inside, dtypes=in_float32),
    "AveragePooling3D": Entry((VOLUME,), POOLING_3D, pools_inside, dtypes=in_float32),
    "MaxPooling1D": Entry((SEQUENCE,), POOLING_1D, pools),
    "AveragePooling1D": Entry((SEQUENCE,), POOLING_1D, pools_inside),
    "GlobalMaxPooling2D": Entry((IMAGE,), GLOBAL),
    "GlobalAveragePooling2D": Entry((IMAGE,), GLOBAL),
    "GlobalMaxPooling3D": Entry((VOLUME,), GLOBAL),
    "GlobalAveragePooling3D": Entry((VOLUME,), GLOBAL),
    "GlobalMaxPooling1D": Entry((SEQUENCE,), GLOBAL),
    "GlobalAveragePooling1D": Entry((SEQUENCE,), GLOBAL),
    **{f"Adaptive{kind}Pooling{rank - 1}D": Entry((rank,), {
        "output_size": sizes, "data_format": FORMAT},
        pools_to_size, dtypes=in_float32 if rank == VOLUME else Entry.dtypes)
       for kind in ("Average", "Max") for rank, sizes in (
           (SEQUENCE, (3, 2, 5)), (IMAGE, ((2, 3), 4, (5, 2))),
           (VOLUME, ((4, 2, 3), 2)))},
    "Flatten": Entry(ANY, {"data_format": FORMAT}),
    "Reshape": Entry(ANY, {"target_shape": (
        Derived("(-1,)", lambda shape: (-1,)),
        Derived("(last, -1)", lambda shape: (shape[-1], -1)),
        Derived("(first, -1, 1)", lambda shape: (shape[0], -1, 1)))}),
    "Permute": Entry((IMAGE, SEQUENCE), {"dims": (FLIPPED, ROLLED)}),
    "ZeroPadding2D": Entry((IMAGE,), {"padding": (1, 0, (1, 2), ((0, 1), (2, 0))),
                                      "data_format": FORMAT}, grows(4)),
    "ZeroPadding1D": Entry((SEQUENCE,), {"padding": (1, 2, (0, 2)), "data_format": FORMAT},
                           grows(3)),
    "ZeroPadding3D": Entry((VOLUME,), {"padding": (1, 0, (1, 0, 2), ((0, 1), (2, 0), (1, 1))),
                                       "data_format": FORMAT}, grows(3)),
    "Cropping3D": Entry((VOLUME,), {"cropping": (1, 0, (1, 0, 1), ((0, 1), (2, 0), (1, 0))),
                                    "data_format": FORMAT}, crops),
    "Cropping2D": Entry((IMAGE,), {"cropping": (1, 0, (1, 0), ((0, 1), (2, 0))),
                                   "data_format": FORMAT}, crops),
    "Cropping1D": Entry((SEQUENCE,), {"cropping": (1, (0, 2), (1, 0))}, crops_sequence),
    "UpSampling2D": Entry((IMAGE,), {"size": (2, 1, (1, 2), (3, 1)), "data_format": FORMAT,
                                     "interpolation": ("nearest", "bilinear", "bicubic",
                                                       "lanczos3", "lanczos5")},
                          grows(4), dtypes=interpolates_in),
    "UpSampling3D": Entry((VOLUME,), {"size": (2, 1, (1, 2, 3), (2, 1, 1)), "data_format": FORMAT},
                          grows(3)),
    "UpSampling1D": Entry((SEQUENCE,), {"size": (2, 1, 3)}, grows(3)),
    "BatchNormalization": Entry(ANY, {
        "axis": (-1, 1), "momentum": (0.99, 0.5), **NORMALIZATION,
        "moving_mean_initializer": ("zeros", "random_normal"),
        "moving_variance_initializer": ("ones",)}),
    "LayerNormalization": Entry(ANY, {
        "axis": (-1, 1, ALL), **NORMALIZATION}),
    "GroupNormalization": Entry(ANY, {
        "groups": (1, 2, -1), "axis": (-1, 1), **NORMALIZATION}, groups_divide),
    "RMSNormalization": Entry(ANY, {"axis": (-1, 1, ALL), "epsilon": (1e-6, 1e-2)}, scale_fits),
    "UnitNormalization": Entry(ANY, {"axis": (-1, 1, ALL)}),
    "Normalization": Entry(ANY, {
        "axis": (-1, 1, None, ALL), "mean": (None, 0.3), "variance": (None, 2.5),
        "invert": (False, True)}, statistics_fit),
    "Rescaling": Entry(ANY, {
        "scale": (0.5, 1 / 255, -3, Derived("per channel", lambda shape: [
            0.3 + i for i in range(shape[-1])])),
        "offset": (0.0, -1, 0.1)}),
    "Identity": Entry(ANY, {}),
    "TimeDistributed": Entry((SEQUENCE, IMAGE, VOLUME), {"layer": tuple(
        {"class_name": name, "config": {"name": name.lower(), **config}} for name, config in (
            ("Dense", {"units": 3, "activation": "relu", "kernel_regularizer": "l2"}),
            ("Conv2D", {"filters": 2, "kernel_size": (2, 1), "activation": "softmax"}),
            ("Conv1D", {"filters": 3, "kernel_size": 2, "padding": "same",
                        "kernel_constraint": "max_norm"}),
            ("LayerNormalization", {"axis": 1}), ("Flatten", {}), ("MaxPooling1D", {}),
            ("BatchNormalization", {"momentum": 0.9, "epsilon": 1e-3}),
            ("GlobalAveragePooling2D", {}), ("Softmax", {}), ("Dropout", {"rate": 0.3}),
            ("GRU", {"units": 2, "recurrent_dropout": 0.3})))}, inside_fits),
    "SpectralNormalization": Entry((VECTOR, SEQUENCE, IMAGE, VOLUME), {
        "layer": tuple({"class_name": name, "config": {"name": "inside", **config}}
                       for name, config in (
            ("Dense", {"units": 3, "activation": "leaky_relu", "bias_regularizer": "l2"}),
            ("Dense", {"units": 2, "use_bias": False, "kernel_constraint": "max_norm"}),
            ("Conv2D", {"filters": 4, "kernel_size": (2, 1), "strides": 2, "padding": "same"}),
            ("Conv1D", {"filters": 3, "kernel_size": 2, "padding": "causal"}),
            ("Conv3D", {"filters": 2, "kernel_size": (1, 2, 1), "activation": "elu"}),
            ("Conv2DTranspose", {"filters": 3, "kernel_size": (2, 3)}),
            ("DepthwiseConv2D", {"kernel_size": 2, "padding": "same", "depth_multiplier": 2}),
            ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}))),
        "power_iterations": (1, 2, 5)}, inside_takes),
    "SimpleRNN": Entry((SEQUENCE,), {
        key: values for key, values in RECURRENT.items() if key != "activity_regularizer"}),
    "LSTM": Entry((SEQUENCE,), {**GATED, "unit_forget_bias": SWITCH}),
    "GRU": Entry((SEQUENCE,), {**GATED, "reset_after": SWITCH}),
    "ConvLSTM1D": Entry((IMAGE,), {**OF_FILMS, "kernel_size": (2, 1, 3)}, convolves_steps),
    "ConvLSTM2D": Entry((VOLUME,), {
        **OF_FILMS, "kernel_size": (2, 1, (1, 3), (3, 2)), "strides": (1, 2, (2, 1)),
        "dilation_rate": (1, 2, (1, 2))}, convolves_steps),
    "ConvLSTM3D": Entry((VOLUMES,), {
        **OF_FILMS, "kernel_size": (1, (1, 2, 1), (2, 1, 3)), "strides": (1, (1, 2, 1)),
        "dilation_rate": (1, (1, 1, 2))}, convolves_steps),
    "Bidirectional": Entry((SEQUENCE,), {
        "layer": tuple({"class_name": name, "config": {"units": 2, "name": "inside", **config}}
                       for name, config in (
            ("LSTM", {"return_sequences": True}), ("GRU", {"kernel_regularizer": "l2"}),
            ("SimpleRNN", {"go_backwards": True, "return_sequences": True,
                           "recurrent_constraint": "max_norm"}),
            ("GRU", {"reset_after": False, "use_bias": False}), ("GRU", {"stateful": True}),
            ("LSTM", {"dropout": 0.3, "recurrent_dropout": 0.2}))),
        "merge_mode": ("concat", "sum", "mul", "ave")}),
    "RepeatVector": Entry((VECTOR,), {"n": (3, 1, 2)}),
    "CenterCrop": Entry((IMAGE,), {"height": (3, 5, 8), "width": (4, 2, 11),
                                   "data_format": FORMAT},
                        dtypes=in_float32),  # `resizing_in_float64`,
    "Resizing": Entry((IMAGE,), {
        "height": (6, 3, 11), "width": (4, 9, 2),
        "interpolation": ("bilinear", "nearest", "bicubic"),
        "crop_to_aspect_ratio": (False, True), "pad_to_aspect_ratio": (False, True),
        "fill_value": (0.0, 0.7), "antialias": (False,), "data_format": FORMAT}, one_aspect),
    "GaussianDropout": Entry(ANY, {"rate": (0.5, 0.0, 0.2), "seed": (None, 7)}),
    "AlphaDropout": Entry(ANY, {
        "rate": (0.5, 0.0, 0.2), "seed": (None, 7),
        "noise_shape": (None, Derived("per sample", lambda shape: (None, *[1] * len(shape))))}),
    "SpatialDropout3D": Entry((VOLUME,), {"rate": (0.5, 0.2), "data_format": FORMAT}),
    "Dropout": Entry(ANY, {
        "rate": (0.5, 0.0, 0.2, 0.75), "seed": (None, 7),
        "noise_shape": (None, Derived("per sample", lambda shape: (None, *[1] * len(shape))))}),
    "StochasticDepth": Entry(ANY, {"drop_path_rate": (0.5, 0.0, 0.2)}),
    "OwnWeight": Entry(ANY, {
        "weight": ("gain",), "initializer": ("random_normal",),
        "shape": (Derived("a sample", lambda shape: tuple(shape)),),
        "output_shape": (Derived("a sample", lambda shape: tuple(shape)),)}),
    "LayerScale": Entry(ANY, {
        "init_values": (1e-6, 0.5),
        "projection_dim": (Derived("channels", lambda shape: shape[-1]),)}),
    "RandomFlip": Entry((IMAGE,), {
        "mode": ("horizontal", "vertical", "horizontal_and_vertical"), "seed": (None, 7),
        "data_format": FORMAT}),
    "RandomBrightness": Entry((IMAGE,), {
        "factor": (0.2, 0.0, (-0.5, 0.1)), "value_range": ((0, 255), (-1, 1), (0.0, 0.7)),
        "data_format": FORMAT}),
    "RandomContrast": Entry((IMAGE,), {
        "factor": (0.3, 0.0, (0.5, 0.2)), "value_range": ((0, 255), (-1, 1), (0.0, 0.7)),
        "data_format": FORMAT}),
    "RandomTranslation": Entry((IMAGE,), {"height_factor": (0.2, (-0.1, 0.3), 1.0),
                                          "width_factor": (0.2, 0.0, (-1.0, 0.5)), **BEYOND}),
    "RandomRotation": Entry((IMAGE,), {"factor": (0.2, (-0.1, 0.3), 1.0, (0.25, 0.25)), **BEYOND}),
    "RandomZoom": Entry((IMAGE,), {"height_factor": (0.2, (-0.1, 0.3), (-0.6, 1.0)),
                                   "width_factor": (None, 0.1, (-0.5, 0.0)), **BEYOND}),
    "RandomShear": Entry((IMAGE,), {"x_factor": (0.0, (0.0, 0.3), (0.5, 0.5)),
                                    "y_factor": (0.0, (0.1, 0.2), (0.0, 0.9)), **BEYOND}),
    "RandomPerspective": Entry((IMAGE,), {"factor": (1.0, 0.3), "scale": (1.0, 0.2)}),
    "RandomElasticTransform": Entry((IMAGE,), {"factor": (1.0, 0.3), "scale": (1.0, 0.2)}),
    "RandomHue": Entry((IMAGE,), COLOUR), "RandomSaturation": Entry((IMAGE,), COLOUR),
    "RandomColorDegeneration": Entry((IMAGE,), {**COLOUR, "data_format": ("channels_last",)},
                                     three_channels),
    "RandomColorJitter": Entry((IMAGE,), {"brightness_factor": (None, 0.2),
                                          "hue_factor": (None, 0.1)}),
    "RandomGrayscale": Entry((IMAGE,), {"factor": (0.5, 0.2, 1.0), "data_format": FORMAT},
                             three_channels),
    "RandomInvert": Entry((IMAGE,), {"factor": (1.0, 0.2, (0.3, 0.9)), "data_format": FORMAT,
                                     "value_range": ((0, 255), (0.0, 0.7), (-1, 1))}),
    "RandomPosterization": Entry((IMAGE,), {"factor": (4, (2, 6))}),
    "RandomSharpness": Entry((IMAGE,), COLOUR),
    "RandomGaussianBlur": Entry((IMAGE,), {
        "factor": (1.0, 0.3, (0.4, 0.9)), "kernel_size": (3, (5, 3), (1, 3)),
        "sigma": (1.0, (0.1, 0.5), (0.0, 0.0)), "value_range": ((0, 255), (-1, 1)),
        "data_format": FORMAT}),
    "RandomErasing": Entry((IMAGE,), {"factor": (1.0, 0.3), "scale": ((0.02, 0.33), 0.2)}),
    "RandAugment": Entry((IMAGE,), {"num_ops": (2, 1), "factor": (0.5, 0.2)}),
    "AugMix": Entry((IMAGE,), {"num_chains": (3, 2), "factor": (0.3, 0.1)}),
    "SpatialDropout1D": Entry((SEQUENCE,), {"rate": (0.5, 0.2)}),
    "SpatialDropout2D": Entry((IMAGE,), {"rate": (0.5, 0.2), "data_format": FORMAT}),
    "GaussianNoise": Entry(ANY, {"stddev": (0.5, 0.1), "seed": (None, 7)}),
    "ActivityRegularization": Entry(ANY, {"l1": (0.0, 0.01), "l2": (0.0, 0.02)}),
    "Activation": Entry(ANY, {"activation": NAMED_ACTIVATIONS}),
    "ReLU": Entry(ANY, {"max_value": (None, 0.8, 6.0), "negative_slope": (0.0, 0.25),
                        "threshold": (0.0, 0.3)}),
    "LeakyReLU": Entry(ANY, {"negative_slope": (0.3, 0.1, 0.0)}),
    "PReLU": Entry(ANY, {
        "alpha_initializer": ("zeros", "random_normal"), "alpha_regularizer": (None, "l2"),
        "shared_axes": (None, Derived("first", lambda shape: [1]),
                        Derived("all but last", lambda shape: list(range(1, len(shape))) or None)),
    }),
    "ELU": Entry(ANY, {"alpha": (1.0, 0.5)}),
    "Softmax": Entry(ANY, {"axis": (-1, 1)}, has_two),
    "Add": Entry(ANY, {}, inputs=2),
    "Subtract": Entry(ANY, {}, inputs=2),
    "CustomScaleLayer": Entry(ANY, {"scale": (0.17, 1.0, 0.1, -2)}, inputs=2),
    "Multiply": Entry(ANY, {}, inputs=2),
    "Average": Entry(ANY, {}, inputs=2),
    "Maximum": Entry(ANY, {}, inputs=2),
    "Minimum": Entry(ANY, {}, inputs=2),
    "Concatenate": Entry(ANY, {"axis": (-1, 1)}, grows(2), inputs=2),
    "Attention": Entry((SEQUENCE,), {"use_scale": (False, True), "score_mode": ("dot", "concat"),
                                     **ATTENDING}, inputs=2),
    "MultiHeadAttention": Entry((SEQUENCE,), {
        "num_heads": (2, 1, 3), "key_dim": (3, 1, 2), "value_dim": (None, 2), "use_bias": SWITCH,
        "output_shape": (None, 3), "bias_initializer": ("zeros", "random_normal"),
        "kernel_regularizer": REGULARIZER, "bias_regularizer": REGULARIZER, **ATTENDING},
        heads_fit, inputs=2),
    "GroupedQueryAttention": Entry((SEQUENCE,), {
        "head_dim": (3, 1, 2), "num_query_heads": (4, 2), "num_key_value_heads": (2, 1),
        "use_bias": SWITCH, "bias_initializer": ("zeros", "random_normal"),
        "kernel_regularizer": REGULARIZER, "bias_regularizer": REGULARIZER, **ATTENDING},
        heads_fit, inputs=2),
    "AdditiveAttention": Entry((SEQUENCE,), {"use_scale": SWITCH, **ATTENDING}, inputs=2),
    "Dot": Entry(ANY, {"axes": (-1, 1, (1, 1)), "normalize": (False, True)}, products_fit,
                 inputs=2),
}

# what a branch beside a skip connection may end with: layers that keep every shape, and how made
IN_BRANCHES: dict[str, dict] = {"BatchNormalization": {}, "ReLU": {}, "Dropout": {"rate": 0.25},
                                "LeakyReLU": {}}
# layers that Keras can run on the whole numbers of a Discretization, and that make others of them
OF_WHOLE_NUMBERS = ("Dense", "EinsumDense", "Masking", "LayerNormalization", "GroupNormalization",
                    "Normalization", "Rescaling")
