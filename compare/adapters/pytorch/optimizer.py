"""An optimizer of PyTorch's as one of scratch's kind: each step is PyTorch's own.

What it remembers is kept as Keras keeps it, and turned for each step: PyTorch's momentum is that of
the gradients, Keras's that of the steps, which are the learning rate times as long.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from scratch import optimizers
from scratch.optimizers.optimizer import Optimizer


class Kind(NamedTuple):
    """What belongs together.

    Attributes:
        base: the class of `scratch.optimizers`.
        settings: Keras's, from the options of PyTorch's group.
        slots: for each list of slots the name in PyTorch's state, and by what power of the learning
            rate, and with what sign, Keras's is longer.
    """

    base: type[Optimizer]
    settings: Callable[[dict], dict]
    slots: tuple[tuple[str, str, int, int], ...]


def _adam(group: dict) -> dict:
    return {"beta_1": group["betas"][0], "beta_2": group["betas"][1], "epsilon": group["eps"],
            "amsgrad": group["amsgrad"]}


ADAM = (("momentums", "exp_avg", 0, 1), ("velocities", "exp_avg_sq", 0, 1),
        ("velocity_hats", "max_exp_avg_sq", 0, 1))
# AdamW first, which is derived from Adam.
KINDS: tuple[tuple[type, Kind], ...] = (
    (torch.optim.SGD, Kind(optimizers.SGD, lambda g: {
        "momentum": g["momentum"], "nesterov": g["nesterov"]},
        (("momentums", "momentum_buffer", 1, -1),))),
    (torch.optim.AdamW, Kind(optimizers.AdamW, _adam, ADAM)),
    (torch.optim.Adam, Kind(optimizers.Adam, _adam, ADAM)),
    (torch.optim.RMSprop, Kind(optimizers.RMSprop, lambda g: {
        "rho": g["alpha"], "momentum": g["momentum"], "epsilon": g["eps"],
        "centered": g["centered"]},
        (("velocities", "square_avg", 0, 1), ("momentums", "momentum_buffer", 1, 1),
         ("average_gradients", "grad_avg", 0, 1)))),
    (torch.optim.Adagrad, Kind(optimizers.Adagrad, lambda g: {
        "initial_accumulator_value": g["initial_accumulator_value"], "epsilon": g["eps"]},
        (("accumulators", "sum", 0, 1),))),
)


def require_optimizer(optimizer) -> Kind:
    """The kind of an optimizer that can take part.

    Raises:
        TypeError: for another.
        ValueError: for one with several groups of weights that are treated otherwise.
    """
    kind = next((kind for cls, kind in KINDS if type(optimizer) is cls), None)
    if kind is None:
        known = ", ".join(cls.__name__ for cls, _ in KINDS)
        raise TypeError(f"Expected one of torch.optim's {known}. "
                        f"Received: {type(optimizer).__name__}")
    options = [{key: value for key, value in group.items() if key != "params"}
               for group in optimizer.param_groups]
    if any(each != options[0] for each in options[1:]):
        raise ValueError("Expected an optimizer that treats all weights alike. Received one with "
                         f"{len(options)} groups of other options")
    return kind


def notes_on(optimizer) -> list[str]:
    """A sentence on options that Keras's optimizer of that name has not, or has otherwise."""
    group = optimizer.param_groups[0]
    found = [f"{key}={group[key]!r}" for key in ("dampening", "maximize", "lr_decay")
             if group.get(key)]
    name = type(optimizer).__name__
    if group.get("weight_decay") and name != "AdamW":
        found.append(f"weight_decay={group['weight_decay']!r} as a part of the gradient, where "
                     "Keras's weights decay by themselves")
    return [f"torch.optim.{name} has {'; '.join(found)}, which Keras has not."] if found else []


class TorchSteps:
    """What optimizers of PyTorch's have in common; stands before the class of scratch's own.

    Attributes:
        torch_class: PyTorch's class.
        options: its arguments.
        kind: see `Kind`.
    """

    torch_class: Any = None
    options: dict = {}
    kind: Kind
    iterations: int
    _learning_rate: Any

    @property
    def _rate(self) -> float:
        """PyTorch's own number, which Keras rounds, unless another one has been set."""
        own = float(self.options["lr"])
        rate = float(self.learning_rate)  # type: ignore[attr-defined]
        return own if np.float32(own) == np.float32(rate) else rate

    def apply(self, gradients: list, variables: list) -> None:
        """One step of PyTorch's; see `scratch.optimizers.Optimizer.apply`."""
        if not variables:
            return
        if not self.built:  # type: ignore[attr-defined]
            self.build(variables)  # type: ignore[attr-defined]
        positions = self._positions(variables)  # type: ignore[attr-defined]
        weights = [torch.tensor(variable, requires_grad=True) for variable in variables]
        for weight, gradient in zip(weights, gradients):
            weight.grad = torch.tensor(np.asarray(gradient), dtype=weight.dtype)
        made = self.torch_class(weights, **{**self.options, "lr": self._rate})
        for weight, position in zip(weights, positions):
            self._remember(made, weight, position)
        made.step()
        for variable, weight, position in zip(variables, weights, positions):
            variable[...] = weight.detach().numpy()
            self._keep(made.state[weight], position, variable.dtype)
        self.iterations += 1

    def _lists(self):
        """(list of slots, name in PyTorch's state, factor of Keras's) of those that there are."""
        for name, key, power, sign in self.kind.slots:
            slots = getattr(self, name, None)
            if slots:
                yield slots, key, sign * self._rate ** power

    def _remember(self, made, weight, position: int) -> None:
        """Put the slots into PyTorch's state; before the first step that is as PyTorch makes it."""
        if not self.iterations and not any(np.any(slots[position]) for slots, *_ in self._lists()):
            return
        state = made.state[weight]
        state["step"] = torch.tensor(float(self.iterations))
        for slots, key, factor in self._lists():
            array = slots[position] if factor == 1 else slots[position] / factor
            state[key] = torch.tensor(np.asarray(array, slots[position].dtype))

    def _keep(self, state, position: int, dtype) -> None:
        """Take PyTorch's state over into the slots."""
        for slots, key, factor in self._lists():
            array = state[key].numpy()
            slots[position][...] = array if factor == 1 else (array * factor).astype(dtype)


def as_optimizer(optimizer, like: Optimizer) -> Optimizer:
    """An optimizer of scratch's kind that makes PyTorch's steps.

    Args:
        optimizer: of torch.optim; it stays as it is.
        like: the twin's, as scratch has it.

    Raises:
        TypeError, ValueError: see `require_optimizer`.
    """
    kind = require_optimizer(optimizer)
    group = optimizer.param_groups[0]
    taken = inspect.signature(type(optimizer)).parameters
    options = {key: value for key, value in group.items() if key in taken and key != "params"}
    cls = type(f"Torch{kind.base.__name__}", (TorchSteps, kind.base), {
        "torch_class": type(optimizer), "options": options, "kind": kind,
        "__doc__": TorchSteps.__doc__})
    decay = group.get("weight_decay") or None
    if issubclass(kind.base, optimizers.AdamW):
        decay = group["weight_decay"]
    made: Optimizer = cls(learning_rate=float(group["lr"]), weight_decay=decay,  # type: ignore
                          **kind.settings(group))
    made.compute_in(np.float64 if like._rate_dtype is np.float64 else np.float32)
    return made
