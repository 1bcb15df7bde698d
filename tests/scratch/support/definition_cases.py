"""Layers that have a definition in `definitions`, with what they are made with and fed.

(name, arguments, shapes of the inputs with the batch). Sizes differ by axis.
"""

import importlib
import math

import numpy as np

import scratch

VECTORS, STEPS, IMAGE = (4, 6), (3, 4, 5), (2, 3, 5, 4)
FIRST = {"data_format": "channels_first"}
CASES = [
    ("Rescaling", {"scale": 1 / 255}, [IMAGE]),
    ("Rescaling", {"scale": -0.3, "offset": 0.7}, [STEPS]),
    ("Rescaling", {"scale": [0.5, 3.0, -2.0, 0.1], "offset": [1, 2, 3, 4]}, [IMAGE]),
    ("Normalization", {}, [IMAGE]),
    ("Normalization", {"axis": [1, -1], "invert": True}, [STEPS]),
    ("Normalization", {"axis": None}, [VECTORS]),
    ("Normalization", {"axis": None, "mean": 0.3, "variance": 2.5}, [STEPS]),
    ("Normalization", {"axis": (1, 2), "mean": [0.5, 0.25, -1.0, 2.0, 3.0],
                       "variance": [1.0, 0.3, 4.0, 0.5, 2.0], "invert": True}, [STEPS]),
    ("Normalization", {"axis": -1, "mean": [1.0] * 6, "variance": [0.0] * 6}, [VECTORS]),
    ("GroupNormalization", {"groups": 2}, [IMAGE]),
    ("GroupNormalization", {"groups": 1, "axis": 1, "epsilon": 0.1}, [IMAGE]),
    ("GroupNormalization", {"groups": -1, "scale": False}, [STEPS]),
    ("GroupNormalization", {"groups": 2, "axis": -2, "center": False}, [STEPS]),
    ("GroupNormalization", {"groups": 2}, [VECTORS]),
    ("RMSNormalization", {}, [IMAGE]),
    ("RMSNormalization", {"axis": [2, 1], "epsilon": 0.1}, [STEPS]),
    ("RMSNormalization", {"axis": 1, "epsilon": 1e-3}, [(3, 4, 4)]),
    ("UnitNormalization", {}, [IMAGE]), ("UnitNormalization", {"axis": [1, -1]}, [STEPS]),
    ("UnitNormalization", {"axis": 1}, [VECTORS]),
    ("LayerScale", {"init_values": 0.5, "projection_dim": 4}, [IMAGE]),
    ("LayerScale", {"init_values": 1e-6, "projection_dim": 6}, [VECTORS]),
    ("OwnWeight", {"weight": "gain", "shape": (3, 2), "output_shape": (1, 3, 2)}, [IMAGE]),
    ("CustomScaleLayer", {"scale": 0.17}, [IMAGE, IMAGE]),
    ("CustomScaleLayer", {"scale": -2}, [STEPS, STEPS]),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"},
     [STEPS]),
    ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}, [IMAGE]),
    ("EinsumDense", {"equation": "abc,bcd->ad", "output_shape": 3}, [STEPS]),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (4, 2, 3), "bias_axes": "e"},
     [STEPS]),
    ("EinsumDense", {"equation": "abcd,be->aec", "output_shape": (2, 5), "bias_axes": "c"},
     [IMAGE]),  # the last axis is merely summed
    ("EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"},
     [STEPS]),
    ("Attention", {}, [(2, 3, 4), (2, 5, 4)]),
    ("Attention", {"use_scale": True}, [(2, 3, 4), (2, 5, 2), (2, 5, 4)]),
    ("Attention", {"score_mode": "concat"}, [(2, 3, 4), (2, 5, 2), (2, 5, 4)]),
    ("Attention", {"score_mode": "concat", "use_scale": True}, [(2, 3, 4), (2, 5, 4)]),
    ("AdditiveAttention", {}, [(2, 3, 4), (2, 5, 4)]),
    ("AdditiveAttention", {"use_scale": False}, [(2, 3, 4), (2, 5, 2), (2, 5, 4)]),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [(2, 3, 4), (2, 5, 3)]),
    ("MultiHeadAttention", {"num_heads": 1, "key_dim": 2, "value_dim": 3, "output_shape": (5,),
                            "use_bias": False}, [(2, 3, 4), (2, 5, 3), (2, 5, 2)]),
    ("MultiHeadAttention", {"num_heads": 3, "key_dim": 2, "output_shape": 2}, [(2, 3, 4)] * 2),
    ("GroupedQueryAttention", {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2},
     [(2, 3, 4), (2, 5, 3)]),
    ("GroupedQueryAttention", {"head_dim": 3, "num_query_heads": 3, "num_key_value_heads": 1,
                               "use_bias": False}, [(2, 3, 4), (2, 5, 3), (2, 5, 2)]),
    ("SimpleRNN", {"units": 2, "return_sequences": True}, [STEPS]),
    ("SimpleRNN", {"units": 3, "activation": "linear", "use_bias": False, "go_backwards": True},
     [STEPS]),
    ("LSTM", {"units": 2, "return_sequences": True, "go_backwards": True}, [STEPS]),
    ("LSTM", {"units": 3, "recurrent_activation": "tanh", "use_bias": False}, [(2, 3, 2)]),
    ("LSTM", {"units": 1, "activation": "sigmoid", "unit_forget_bias": False}, [(2, 1, 3)]),
    ("GRU", {"units": 2, "return_sequences": True, "go_backwards": True}, [STEPS]),
    ("GRU", {"units": 2, "reset_after": False}, [STEPS]),
    ("GRU", {"units": 3, "use_bias": False, "recurrent_activation": "tanh"}, [(2, 3, 2)]),
    ("GRU", {"units": 3, "reset_after": False, "use_bias": False, "return_sequences": True},
     [(2, 3, 2)]),
    ("ConvLSTM1D", {"filters": 2, "kernel_size": 3, "strides": 2, "return_sequences": True},
     [(2, 3, 6, 1)]),
    ("ConvLSTM1D", {"filters": 1, "kernel_size": 2, "dilation_rate": 2, "padding": "same",
                    "use_bias": False, "recurrent_activation": "tanh"}, [(2, 2, 4, 3)]),
    ("ConvLSTM2D", {"filters": 2, "kernel_size": (2, 3), "return_sequences": True,
                    "go_backwards": True}, [(2, 2, 3, 4, 1)]),
    ("ConvLSTM2D", {"filters": 1, "kernel_size": (3, 2), "strides": (2, 1), "padding": "same",
                    "activation": "linear", "unit_forget_bias": False}, [(2, 3, 3, 2, 2)]),
    ("ConvLSTM3D", {"filters": 2, "kernel_size": (1, 2, 1)}, [(2, 2, 1, 3, 2, 1)]),
    ("Identity", {}, [STEPS]),
    ("RepeatVector", {"n": 3}, [VECTORS]), ("RepeatVector", {"n": 1}, [VECTORS]),
    ("Dot", {"axes": 1}, [VECTORS, VECTORS]), ("Dot", {"axes": (2, 1)}, [(2, 3, 4), (2, 4, 5)]),
    ("Dot", {"axes": -1}, [(2, 3, 4), (2, 5, 4)]),
    ("Dot", {"axes": (1, -2)}, [STEPS, (3, 2, 4, 2)]),
    ("Dot", {"axes": 1, "normalize": True}, [VECTORS, VECTORS]),
    ("Dot", {"axes": (1, 3), "normalize": True}, [(2, 4), (2, 3, 2, 4)]),
    *[("CenterCrop", {"height": height, "width": width, **more}, [(2, 5, 7, 3)])
      for height, width in ((3, 4), (5, 7), (8, 3), (11, 9)) for more in ({}, FIRST)],
    *[("Resizing", {"height": height, "width": width, "interpolation": kind, **more},
       [(2, 5, 7, 2)])
      for kind in ("bilinear", "nearest", "bicubic")
      for height, width, more in (
          (10, 14, {}), (3, 4, {}), (5, 7, {}), (9, 2, FIRST), (1, 11, {}),
          (4, 4, {"crop_to_aspect_ratio": True}), (9, 3, {"crop_to_aspect_ratio": True, **FIRST}),
          (6, 6, {"pad_to_aspect_ratio": True, "fill_value": 0.7}),
          (3, 9, {"pad_to_aspect_ratio": True, **FIRST}))],
]


def learned(name, arguments) -> list[str]:
    """The weights that have a gradient, in Keras's order."""
    if name == "RMSNormalization":
        return ["scale"]
    if name == "LayerScale":
        return ["gamma"]
    if name == "OwnWeight":
        return [arguments["weight"]]
    if name in ("SimpleRNN", "LSTM", "GRU") or name.startswith("ConvLSTM"):
        bias = ["bias"] if arguments.get("use_bias", True) else []
        return ["kernel", "recurrent_kernel", *bias]
    if name in ("MultiHeadAttention", "GroupedQueryAttention"):
        kinds = ("kernel", "bias") if arguments.get("use_bias", True) else ("kernel",)
        return [f"{part}/{kind}" for part in ("query", "key", "value", "attention_output")
                for kind in kinds]
    if name.endswith("Attention"):
        scale = arguments.get("use_scale", name.startswith("Additive"))
        concat = arguments.get("score_mode") == "concat"
        return [*(["scale"] if scale else []), *(["concat_score_weight"] if concat else [])]
    if name == "EinsumDense":
        return ["kernel", *(["bias"] if arguments.get("bias_axes") else [])]
    if name != "GroupNormalization":
        return []
    return [weight for weight, kept in (("gamma", "scale"), ("beta", "center"))
            if arguments.get(kept, True)]


def keras_layer(name):
    """Keras's class of that name, also of those that it keeps with its networks."""
    return getattr(importlib.import_module(scratch.layers.LAYERS[name].keras_module),
                   scratch.layers.IN_CONFIGS.get(name, name))


def build(twin, shapes) -> None:
    """Build a Keras layer for inputs of these shapes."""
    layer = scratch.layers.LAYERS[type(twin).__name__]
    if layer.calls_apart:
        twin.build(*shapes)
    else:
        twin.build(shapes if layer.merges else shapes[0])


def call(twin, sources):
    """A Keras layer's output for these inputs."""
    layer = scratch.layers.LAYERS[type(twin).__name__]
    if layer.calls_apart:
        return twin(*sources)
    return twin(sources if layer.merges else sources[0])


def is_exact(name, arguments) -> bool:
    """Whether the layer only moves numbers, or adds some up on the way back."""
    return name in ("Identity", "RepeatVector") or arguments.get("interpolation") == "nearest"


def single_precision(name, arguments) -> bool:
    """Whether TensorFlow computes it in float32, whatever the layer's precision is."""
    return name == "CenterCrop" or arguments.get("interpolation") in ("bilinear", "bicubic")


def numbers(seed, shape):
    """Normal numbers that float32 holds, as float64."""
    drawn = np.random.default_rng([seed, math.prod(shape)]).standard_normal(shape)
    return drawn.astype(np.float32).astype(np.float64)


def fill(params: dict, seed: int = 5) -> None:
    """Draw weights in place: normal ones, positive where they are variances."""
    for i, (name, weight) in enumerate(params.items()):
        if name != "count":
            drawn = numbers(seed + i, weight.shape)
            weight[...] = np.abs(drawn) + 0.1 if name.endswith("variance") else drawn
