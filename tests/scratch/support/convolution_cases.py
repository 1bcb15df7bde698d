"""Hypothesis draws layers of the convolution family; here they meet their loops.

A `Case` holds a layer's class, arguments and input shape; `tensors` draws numbers for it and has
the loops add them up. Everything is in the layer's own data format.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tests.scratch.support import convolution_oracles as oracles
from tests.scratch.support.oracles import Sums


class Case(NamedTuple):
    """`shape` is that of a batch of inputs; `name` that of the layer's class."""

    name: str
    arguments: dict
    shape: tuple

    @property
    def rank(self):
        return len(self.shape) - 2

    @property
    def first(self):
        return self.arguments.get("data_format") == "channels_first"


SMALL = st.integers(1, 3)


@st.composite
def cases(draw, name):
    """Non-square images; either strides or a dilation, each axis with its own."""
    rank = 1 if name == "Conv1D" else 2
    transposed, single = name == "Conv2DTranspose", name in ("DepthwiseConv2D", "SeparableConv2D")
    padding = draw(st.sampled_from(["valid", "same"] + ["causal"] * (rank == 1)))
    kernel = tuple(draw(SMALL) for _ in range(rank))
    strides = tuple(draw(SMALL) for _ in range(rank))
    dilation = tuple(draw(SMALL) for _ in range(rank))
    if not single or draw(st.booleans()):
        if draw(st.booleans()):
            strides = (1,) * rank
        else:
            dilation = (1,) * rank
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    least = reach if padding == "valid" and not transposed else (1,) * rank
    height = draw(st.integers(least[0], least[0] + 3))
    size = (height,) if rank == 1 else (
        height, draw(st.integers(least[1], least[1] + 3).filter(lambda w: w != height)))
    arguments = {"kernel_size": kernel, "strides": strides, "dilation_rate": dilation,
                 "padding": padding, "use_bias": draw(st.booleans()),
                 "data_format": draw(st.sampled_from(["channels_last", "channels_first"]))}
    channels = draw(st.integers(1, 2))
    if name in ("Conv2D", "Conv1D"):
        groups = draw(SMALL)
        arguments |= {"groups": groups, "filters": groups * draw(st.integers(1, 2))}
        channels *= groups
    elif name != "DepthwiseConv2D":
        arguments["filters"] = draw(SMALL)
    if single:
        arguments["depth_multiplier"] = draw(st.integers(1, 2))
    if transposed and draw(st.booleans()):
        least = [int(padding == "same" and r % 2 == 0) for r in reach]
        if all(low < s for low, s in zip(least, strides)):
            arguments["output_padding"] = tuple(draw(st.integers(low, s - 1))
                                                for low, s in zip(least, strides))
    batch = draw(st.integers(2, 3))
    shape = (batch, *size, channels)
    if arguments["data_format"] == "channels_first":
        shape = (batch, channels, *size)
    return Case(name, arguments, shape)


def tensors(case: Case, draw, seed):
    """(x, dy, weights by name, Sums by result) for numbers of `draw(seed, shape)`."""
    arguments = case.arguments
    x = draw(seed, case.shape)
    image = as_image(case, x)
    shapes = weight_shapes(case, image.shape[3])
    weights = {name: draw(seed + 2 + i, shape) for i, (name, shape) in enumerate(shapes.items())}
    filters = shapes["bias"][0]
    dy = draw(seed + 1, (len(x), *spatial(case, image.shape[1:3]), filters))
    bias = weights["bias"] if arguments["use_bias"] else np.zeros(filters)
    y, dx, *gradients = loops(case)(image, *[as_kernel(case, w) for name, w in weights.items()
                                             if name != "bias"], bias, dy)
    results = {"output": y, "input_gradient": dx,
               **{f"{name}_gradient": sums for name, sums in zip(weights, gradients)}}
    for name in ("output", "input_gradient"):
        results[name].terms = given(case, results[name].terms)
    for name, shape in shapes.items():
        results[f"{name}_gradient"].terms = results[f"{name}_gradient"].terms.reshape(shape)
    if not arguments["use_bias"]:
        del weights["bias"], results["bias_gradient"]
        without_zeros(results["output"])
    return x, given(case, dy), weights, results


def without_zeros(sums: Sums) -> None:
    """Leave out the zero that stands first in each sum where there is no bias."""
    for index in np.ndindex(*sums.terms.shape):
        del sums.terms[index][0]


def weight_shapes(case: Case, channels: int) -> dict:
    """Keras's shapes, by weight."""
    a, kernel = case.arguments, case.arguments["kernel_size"]
    multiplier = a.get("depth_multiplier")
    if case.name == "DepthwiseConv2D":
        return {"kernel": (*kernel, channels, multiplier), "bias": (channels * multiplier,)}
    bias = {"bias": (a["filters"],)}
    if case.name == "SeparableConv2D":
        return {"depthwise_kernel": (*kernel, channels, multiplier),
                "pointwise_kernel": (1, 1, channels * multiplier, a["filters"]), **bias}
    if case.name == "Conv2DTranspose":
        return {"kernel": (*kernel, a["filters"], channels), **bias}
    return {"kernel": (*kernel, channels // a["groups"], a["filters"]), **bias}


def spatial(case: Case, size) -> tuple:
    """The output's (OH, OW), in a sequence (OL, 1)."""
    a = pairs(case)
    if case.name == "Conv2DTranspose":
        return tuple(oracles.transposed_axis(n, k, s, a["padding"], extra, d)[0] for n, k, s, extra,
                     d in zip(size, a["kernel_size"], a["strides"], a["output_padding"],
                              a["dilation_rate"]))
    return oracles.output_size(size, a["kernel_size"], a["strides"], a["padding"],
                               a["dilation_rate"])


def loops(case: Case):
    """The oracle with the case's arguments filled in."""
    a = pairs(case)
    common = (a["strides"], a["padding"])
    if case.name == "DepthwiseConv2D":
        return lambda *tensors: oracles.depthwise_conv2d(*tensors, *common, a["dilation_rate"])
    if case.name == "SeparableConv2D":
        return lambda *tensors: oracles.separable_conv2d(*tensors, *common, a["dilation_rate"])
    if case.name == "Conv2DTranspose":
        return lambda *tensors: oracles.conv2d_transpose(*tensors, *common, a["output_padding"],
                                                         a["dilation_rate"])
    return lambda *tensors: oracles.conv2d(*tensors, *common, a["dilation_rate"], a["groups"])


def pairs(case: Case) -> dict:
    """The arguments with those of a sequence as those of an image one pixel wide."""
    a = {"output_padding": (None, None), **case.arguments}
    return a if case.rank == 2 else {**a, **{key: (a[key][0], 1) for key in (
        "kernel_size", "strides", "dilation_rate")}}


def as_image(case: Case, array):
    """(N, H, W, C) of an input or output."""
    array = np.moveaxis(array, 1, -1) if case.first else array
    return array if case.rank == 2 else array[:, :, None]


def as_kernel(case: Case, kernel):
    return kernel if case.rank == 2 else kernel[:, None]


def given(case: Case, image):
    """The other way round of `as_image`."""
    array = image if case.rank == 2 else image[:, :, 0]
    return np.moveaxis(array, -1, 1) if case.first else array
