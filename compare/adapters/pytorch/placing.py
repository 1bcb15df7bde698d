"""One of a module's calls in the place of one of Keras's layers."""

from typing import Any

import numpy as np
import torch.nn.functional as functional
from torch import nn

from compare.adapters.conventions import Conventions
from compare.adapters.pytorch import kinds, settings
from compare.adapters.pytorch.bridge import bridge, gradient_place, place
from compare.adapters.pytorch.recording import Call, Slot
from compare.tracing.model_kinds import kind
from scratch.layers import Layer

# How a kernel lies in PyTorch, by the rank of the convolution.
LAYOUTS = {"conv": ("OIW", "OIHW", "OIDHW"), "conv_transpose": ("IOW", "IOHW", "IODHW"),
           "depthwise": ("(IO)W", "(IO)HW")}


def conventions(call: Call, like: Layer, softmax: bool = False,
                biased: bool = False) -> Conventions:
    """How a call is treated where it stands for a layer.

    Args:
        like: scratch's own layer there, built, with Keras's settings.
        softmax: whether it stands for a softmax.
        biased: whether its running variance is to be shown as divided by n.

    Raises:
        ValueError: if the module has not the layer's weights, or has others besides.
    """
    places = _places(call, like)
    flat = len(like.output_shape or ()) == 2 and len(call.made) > 2
    made = bridge(call, frozen=not like.trainable, flat=flat,
                  exponential=softmax and call.kind == "log_softmax",
                  differs=settings.in_words(call, like, ": "), biased=biased)
    trained = {name: at for name, at in places.items() if name not in like.non_trainable}
    return Conventions(
        made, forward_takes=("x", "training"), kernel_layout=_layout(call, like),
        data_format=data_format(call, like.input_shape),
        weights={name: place(name, at) for name, at in places.items()},
        gradients={name: gradient_place(name, at) for name, at in trained.items()})


def data_format(call: Call, shape) -> str:
    """In which order a call takes its axes.

    Args:
        shape: of Keras's input, channels last, with the batch.
    """
    keras, own = tuple(shape[1:]), tuple(call.read[1:])
    last = call.kind in kinds.FEATURES_LAST or (
        call.kind not in kinds.CHANNELS_FIRST and own == keras
        and own != (keras[-1], *keras[:-1]))
    return "channels_last" if last else "channels_first"


def padding_of(call: Call) -> Call:
    """The zeros that a module puts around its input, as a call of its own; as many as none where it
    puts none. With `without_padding` that is what the module computes."""
    module = call.module
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        amounts = tuple(module._reversed_padding_repeated_twice)
        mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
        value = 0.0
    else:
        rank = len(call.read) - 2
        own = getattr(module, "padding", 0)
        sizes = own if isinstance(own, (tuple, list)) else (own,) * rank
        amounts, mode = tuple(n for size in reversed(sizes) for n in (size, size)), "constant"
        largest = isinstance(module, (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d))
        value = float("-inf") if largest and not call.never_negative else 0.0
    kwargs = {} if mode != "constant" else {"value": value}
    return Call(f"padding of {call}", "pad", call.sources, None, functional.pad,
                (Slot(0), list(amounts), mode), kwargs, call.read, call.read, call.never_negative)


def without_padding(call: Call) -> Call:
    """The same for inputs that are padded already."""
    made = call.own()
    module: Any = made.module
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        rank = len(module.kernel_size)
        module.padding, module.padding_mode = (0,) * rank, "zeros"
        module._reversed_padding_repeated_twice = [0] * (2 * rank)
    elif hasattr(module, "padding"):
        module.padding = 0
    return made


def _places(call: Call, like: Layer) -> dict[str, str]:
    """The names of the module's tensors, by Keras's names of the weights."""
    module = call.module
    held = {} if module is None else {**dict(module.named_parameters()),
                                      **dict(module.named_buffers())}
    held.pop("num_batches_tracked", None)
    found: dict[str, str] = {}
    for name, weight in like.params.items():
        usual = kinds.PLACES.get(name, name)
        if call.kind == "own":  # whose names are somebody's own: the shape tells
            usual = next((key for key, tensor in held.items() if key not in found.values()
                          and tensor.numel() == weight.size), usual)
        if usual not in held:
            raise ValueError(f"Expected module {call} to have a {usual}, for the {name} of "
                             f"{like.name!r}. Received one without")
        found[name] = usual
        _require_size(call, like, name, tuple(held[usual].shape))
    more = [name for name in held if name not in found.values()]
    if more:
        raise ValueError(f"Expected module {call} to have the weights of {like.name!r}: "
                         f"{', '.join(like.params) or 'none'}. Received {', '.join(more)} besides")
    return found


def _require_size(call: Call, like: Layer, name: str, shape: tuple[int, ...]) -> None:
    own = sorted(n for n in shape if n != 1)
    weight = like.params[name].shape
    theirs = sorted(n for n in weight if n != 1)
    if own != theirs and int(np.prod(own)) != int(np.prod(theirs)):
        raise ValueError(f"Expected module {call} to hold weights like the {name} of "
                         f"{like.name!r}, {weight} in Keras. Received: {shape}")


def _layout(call: Call, like: Layer) -> str | None:
    if call.kind == "linear":
        return "OI"
    if kind(like).startswith("Depthwise"):
        return LAYOUTS["depthwise"][len(call.read) - 3]
    return LAYOUTS[call.kind][len(call.read) - 3] if call.kind in LAYOUTS else None
