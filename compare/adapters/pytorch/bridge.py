"""A layer of PyTorch's as an object with a forward and a backward pass on arrays of NumPy's."""

import copy
import functools
from typing import Any

import numpy as np
import torch
from torch import nn

from compare.adapters.pytorch.kinds import PLACES
from compare.adapters.pytorch.recording import Call


class Bridge:
    """One call, of a module with the layer's weights or of a function.

    Args:
        call: what is run; the module is copied.
        frozen: whether the layer is never in training.
        flat: whether axes of images of a single pixel are left out of the output.
        exponential: whether the output is a logarithm, and Keras's is not.
        differs: what is to be said, where the output has another shape, of settings that differ.
        biased: whether a running variance that PyTorch divides by n - 1 is shown as divided by n.

    Attributes:
        grads: after `backward`, by Keras's name of the weight.
    """

    def __init__(self, call: Call, frozen=False, flat=False, exponential=False, differs="",
                 biased=False):
        self.call = call.own()
        self.frozen, self.flat, self.exponential = frozen, flat, exponential
        self.differs, self.biased = differs, biased
        if self.module is not None:
            self.module.requires_grad_()  # Keras's gradients are compared, whatever is trained
        self.grads: dict[str, np.ndarray] = {}

    @property
    def module(self) -> nn.Module | None:
        return self.call.module

    def __deepcopy__(self, memo):
        made = type(self)(self.call, self.frozen, self.flat, self.exponential, self.differs,
                          self.biased)
        made.grads = copy.deepcopy(self.grads, memo)
        return made

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self._x = torch.tensor(x)
        if self._x.is_floating_point():
            self._x.requires_grad_()
        with torch.enable_grad():
            if self.module is not None:
                self.module.to(self._x.dtype)
                self.module.train(training and not self.frozen)
            before = self._running_variance()
            y = self.call.run(self._x.clone())  # which an operation in place may change
            if before is not None and training and not self.frozen:
                self._show_biased(before)
            if self.exponential:
                y = y.exp()
            if self.flat:
                y = y.flatten(1)
        self._y = y
        return y.detach().numpy().copy()

    def _running_variance(self) -> torch.Tensor | None:
        """A copy, where it is to be shown as if PyTorch had divided by n."""
        held = getattr(self.module, "running_var", None) if self.biased else None
        momentum = getattr(self.module, "momentum", None)
        return None if held is None or momentum is None else held.clone()

    def _show_biased(self, before: torch.Tensor) -> None:
        """Turn the step of a running variance from that of the unbiased to that of the biased one:
        of what is new in it the share (n - 1) / n, in float64."""
        module: Any = self.module
        n = self._x.numel() // before.numel()
        kept = (1 - module.momentum) * before.double()
        step = module.running_var.double() - kept
        # another tensor, as the way back needs the one that is there
        module.running_var = (kept + step * ((n - 1) / n)).to(module.running_var.dtype)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        weights = self._weights()
        found = torch.autograd.grad(self._y, [self._x, *weights.values()], torch.tensor(dy),
                                    retain_graph=True, allow_unused=True)
        arrays = [np.zeros(tuple(t.shape), dy.dtype) if g is None else g.numpy().copy()
                  for t, g in zip([self._x, *weights.values()], found)]
        self.grads = dict(zip(weights, arrays[1:]))
        return arrays[0]

    def _weights(self) -> dict[str, torch.Tensor]:
        """The weights that are no buffers, by the module's names of them."""
        if self.module is None:
            return {}
        return dict(self.module.named_parameters())

    def get(self, name: str) -> np.ndarray:
        """A weight or a buffer by its name in the module; a kernel of one channel for each filter
        without that axis.

        Raises:
            AttributeError: if there is none.
        """
        return _narrow(_found(self.module, name).detach().numpy().copy(), self.module)

    def set(self, name: str, array: np.ndarray) -> None:
        """Put an array there, of that precision.

        Raises:
            AttributeError: if there is none.
            ValueError: for one of another size.
        """
        held = _found(self.module, name)
        held.data = torch.tensor(array).reshape(held.shape)

    def gradient(self, name: str) -> np.ndarray:
        return _narrow(self.grads[name], self.module)


def bridge(call: Call, **how) -> Bridge:
    """A `Bridge` whose class, which reports name, is called as the module's or the function."""
    name = getattr(call.function, "__name__", "function") if call.module is None \
        else type(call.module).__name__
    cls: type[Bridge] = type(name, (Bridge,), {"__doc__": Bridge.__doc__})
    return cls(call, **how)


def place(weight: str, name: str | None = None) -> tuple:
    """(get, set) for `compare.wrap`.

    Args:
        weight: Keras's name of it.
        name: the module's, if it is not the usual one.
    """
    name = name or PLACES[weight]
    return functools.partial(_get, name=name), functools.partial(_set, name=name)


def gradient_place(weight: str, name: str | None = None):
    """The getter of its gradient."""
    return functools.partial(_gradient, name=name or PLACES[weight])


def _get(bridge: Bridge, name: str) -> np.ndarray:
    return bridge.get(name)


def _set(bridge: Bridge, array: np.ndarray, name: str) -> None:
    bridge.set(name, array)


def _gradient(bridge: Bridge, name: str) -> np.ndarray:
    return bridge.gradient(name)


def _found(module, name: str) -> torch.Tensor:
    held = None if module is None else functools.reduce(
        lambda owner, part: getattr(owner, part, None), name.split("."), module)
    if not isinstance(held, torch.Tensor):
        raise AttributeError(f"expected {name!r} in {type(module).__name__}. Received none")
    return held


def _narrow(array: np.ndarray, module) -> np.ndarray:
    """Kernels (C M, 1, kh, kw) of depthwise convolutions as (C M, kh, kw)."""
    depthwise = (getattr(module, "groups", 1) > 1 and array.ndim > 2 and array.shape[1] == 1
                 and getattr(module, "groups", 1) == getattr(module, "in_channels", None))
    return array[:, 0] if depthwise else array
