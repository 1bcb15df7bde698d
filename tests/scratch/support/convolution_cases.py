"""Hypothesis draws layers of the convolution family; here they meet their loops.

A `Case` holds a layer's class, arguments and input shape; `tensors` draws numbers for it and has
the loops add them up. Everything is in the layer's own data format.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tests.scratch.support import convolution_oracles as oracles
from tests.scratch.support.oracles import Sums

FAMILY = ["Conv2D", "Conv1D", "Conv3D", "DepthwiseConv2D", "DepthwiseConv1D", "SeparableConv2D",
          "SeparableConv1D", "Conv2DTranspose", "Conv1DTranspose", "Conv3DTranspose"]


def rank_of(name: str) -> int:
    """How many spatial axes a class of the family has."""
    return int(name[name.index("D") - 1] if name.startswith("Conv") else name[-2])


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
FEW = st.integers(1, 2)


@st.composite
def sizes(draw, least):
    """Sizes of at least so much, no two of them equal."""
    found = []
    for low in least:
        found.append(draw(st.integers(low, low + 3).filter(lambda n: n not in found)))
    return tuple(found)


@st.composite
def cases(draw, name):
    """No two sizes equal; either strides or a dilation, each axis with its own."""
    rank = rank_of(name)
    transposed, single = "Transpose" in name, name.startswith(("Depthwise", "Separable"))
    padding = draw(st.sampled_from(["valid", "same"] + ["causal"] * (name == "Conv1D")))
    number = FEW if rank == 3 else SMALL
    kernel, strides, dilation = (tuple(draw(number) for _ in range(rank)) for _ in range(3))
    if not single or draw(st.booleans()):
        if draw(st.booleans()):
            strides = (1,) * rank
        else:
            dilation = (1,) * rank
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    size = draw(sizes(reach if padding == "valid" and not transposed else (1,) * rank))
    arguments = {"kernel_size": kernel, "strides": strides, "dilation_rate": dilation,
                 "padding": padding, "use_bias": draw(st.booleans()),
                 "data_format": draw(st.sampled_from(["channels_last", "channels_first"]))}
    channels = draw(FEW)
    if not (transposed or single):
        groups = draw(number)
        arguments |= {"groups": groups, "filters": groups * draw(FEW)}
        channels *= groups
    elif not name.startswith("Depthwise"):
        arguments["filters"] = draw(number)
    if single:
        arguments["depth_multiplier"] = draw(FEW)
    if transposed and draw(st.booleans()):
        least = [int(padding == "same" and r % 2 == 0) for r in reach]
        if all(low < s for low, s in zip(least, strides)):
            arguments["output_padding"] = tuple(draw(st.integers(low, s - 1))
                                                for low, s in zip(least, strides))
    batch = 2 if rank == 3 else draw(st.integers(2, 3))
    shape = (batch, *size, channels)
    if arguments["data_format"] == "channels_first":
        shape = (batch, channels, *size)
    return Case(name, arguments, shape)


def tensors(case: Case, draw, seed):
    """(x, dy, weights by name, Sums by result) for numbers of `draw(seed, shape)`."""
    arguments = case.arguments
    x = draw(seed, case.shape)
    image = as_image(case, x)
    shapes = weight_shapes(case, image.shape[-1])
    weights = {name: draw(seed + 2 + i, shape) for i, (name, shape) in enumerate(shapes.items())}
    filters = shapes["bias"][0]
    dy = draw(seed + 1, (len(x), *spatial(case, image.shape[1:-1]), filters))
    bias = weights["bias"] if arguments["use_bias"] else np.zeros(filters)
    y, dx, *gradients = loops(case)(image, *[w for name, w in weights.items() if name != "bias"],
                                    bias, dy)
    results = {"output": y, "input_gradient": dx,
               **{f"{name}_gradient": sums for name, sums in zip(weights, gradients)}}
    for name in ("output", "input_gradient"):
        results[name].terms = given(case, results[name].terms)
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
    if case.name.startswith("Depthwise"):
        return {"kernel": (*kernel, channels, multiplier), "bias": (channels * multiplier,)}
    bias = {"bias": (a["filters"],)}
    if case.name.startswith("Separable"):
        pointwise = (*[1] * case.rank, channels * multiplier, a["filters"])
        return {"depthwise_kernel": (*kernel, channels, multiplier), "pointwise_kernel": pointwise,
                **bias}
    if "Transpose" in case.name:
        return {"kernel": (*kernel, a["filters"], channels), **bias}
    return {"kernel": (*kernel, channels // a["groups"], a["filters"]), **bias}


def spatial(case: Case, size) -> tuple:
    """The output's spatial sizes."""
    a = case.arguments
    if "Transpose" in case.name:
        return tuple(oracles.transposed_axis(n, k, s, a["padding"], extra, d)[0] for n, k, s, extra,
                     d in zip(size, a["kernel_size"], a["strides"], extras(case),
                              a["dilation_rate"]))
    return oracles.output_size(size, a["kernel_size"], a["strides"], a["padding"],
                               a["dilation_rate"])


def loops(case: Case):
    """The oracle with the case's arguments filled in."""
    a = case.arguments
    common = (a["strides"], a["padding"])
    if case.name.startswith("Depthwise"):
        return lambda *tensors: oracles.depthwise(*tensors, *common, a["dilation_rate"])
    if case.name.startswith("Separable"):
        return lambda *tensors: oracles.separable(*tensors, *common, a["dilation_rate"])
    if "Transpose" in case.name:
        return lambda *tensors: oracles.transposed(*tensors, *common, extras(case),
                                                   a["dilation_rate"])
    return lambda *tensors: oracles.convolution(*tensors, *common, a["dilation_rate"], a["groups"])


def extras(case: Case) -> tuple:
    return case.arguments.get("output_padding") or (None,) * case.rank


def as_image(case: Case, array):
    """An input or output with its channels last."""
    return np.moveaxis(array, 1, -1) if case.first else array


def given(case: Case, image):
    """The other way round of `as_image`."""
    return np.moveaxis(image, -1, 1) if case.first else image
