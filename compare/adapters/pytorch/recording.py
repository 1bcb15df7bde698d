"""What a module computes, in the order in which it ran: its modules, seen by hooks, and the
functions between them, `F.relu` or `x + y`, seen by PyTorch's own way of overriding functions.
"""

import contextlib
import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as trees

from compare.adapters.pytorch import kinds
from compare.tracing.layer_error import RAISED


@dataclass(frozen=True)
class Slot:
    """Stands for the i-th tensor that a call reads, among its arguments."""

    i: int


@dataclass
class Call:
    """One module, or one function, that ran.

    Attributes:
        title: the module's path, such as 'features.0', or what the function is called.
        kind: see `kinds`.
        sources: positions of the calls whose outputs it reads; -1 is the network's input.
        module: the module, None for a function.
        function: what was called, if it was a function.
        args, kwargs: its arguments, with a `Slot` where it reads a tensor.
        read, made: shapes, with the batch, of what it read first and what it gave.
        never_negative: whether no number that it read was below zero.
    """

    title: str
    kind: str
    sources: tuple[int, ...]
    module: nn.Module | None
    function: Callable | None
    args: Any
    kwargs: Any
    read: tuple[int, ...]
    made: tuple[int, ...]
    never_negative: bool

    def run(self, *tensors: torch.Tensor) -> torch.Tensor:
        """The same again of other tensors."""
        if self.kind == "flatten" and self.module is None:
            return tensors[0].reshape(len(tensors[0]), *self.made[1:])
        args, kwargs = trees.tree_map(
            lambda held: tensors[held.i] if isinstance(held, Slot) else held,
            (self.args, self.kwargs))
        called = self.function if self.module is None else self.module
        assert called is not None
        result: torch.Tensor = called(*args, **kwargs)
        return result

    def own(self) -> "Call":
        """The same with a copy of the module."""
        return replace(self, module=copy.deepcopy(self.module))

    def __str__(self) -> str:
        what = type(self.module).__name__ if self.module is not None else "function"
        return f"{self.title!r} ({what})"


@dataclass
class Recording:
    """All calls of a forward pass, in order; the last one gave the output.

    Attributes:
        end: the position of the call that gave the output.
        arrays: what each call gave, where that was asked for.
    """

    calls: list[Call]
    end: int
    arrays: list[np.ndarray] = field(default_factory=list)


def recorded(module: nn.Module, x: torch.Tensor, arrays: bool = False) -> Recording:
    """What a module does with x at inference; the module stays as it is.

    Args:
        arrays: whether to keep what each call gave.

    Raises:
        ValueError: if it does not give one tensor, or one that does not depend on x.
        Whatever the module raises.
    """
    module = copy.deepcopy(module).eval()
    recorder = _Recorder(x, arrays)
    hooks = recorder.hooks_on(module)
    with torch.no_grad(), recorder:
        output = module(x)
    for hook in hooks:
        hook.remove()
    if not isinstance(output, torch.Tensor):
        raise ValueError("expected a module that returns one tensor. "
                         f"Received: {type(output).__name__}")
    if id(output) not in recorder.made_by:
        raise ValueError("expected a module whose output depends on its input. Received one "
                         "that does not")
    return Recording(recorder.calls, recorder.made_by[id(output)], recorder.arrays)


def until_it_stops(module: nn.Module, x: torch.Tensor) -> list[Call]:
    """The calls of a forward pass that raises, before it does."""
    module = copy.deepcopy(module).eval()
    recorder = _Recorder(x, False)
    recorder.hooks_on(module)
    with torch.no_grad(), recorder, contextlib.suppress(*RAISED):
        module(x)
    return recorder.calls


class _Recorder(TorchFunctionMode):
    """Keeps what ran; what runs inside a module that counts as one is not looked at."""

    def __init__(self, x: torch.Tensor, wants_arrays: bool):
        super().__init__()
        self.wants_arrays = wants_arrays
        self.arrays: list[np.ndarray] = []
        self.calls: list[Call] = []
        self.made_by = {id(x): -1}
        self.kept: list[Any] = [x]  # so that no other tensor gets the same id
        self.depth = 0

    def hooks_on(self, module: nn.Module) -> list:
        """Watch the modules inside a module that count as one; returns what removes the hooks."""
        hooks = []
        for path, each in module.named_modules():
            kind = kinds.of_module(each)
            if kind is not None and (path or kind != "own"):
                hooks.append(each.register_forward_pre_hook(self._enter, with_kwargs=True))
                hooks.append(each.register_forward_hook(functools.partial(
                    self._leave, path or type(each).__name__, kind), with_kwargs=True))
        return hooks

    def _enter(self, module, args, kwargs) -> None:
        if not self.depth:
            self.before = self._about(args, kwargs)
        self.depth += 1

    def _leave(self, path, kind, module, args, kwargs, y) -> None:
        self.depth -= 1
        if not self.depth:
            self._keep(path, kind, module, None, self.before, y)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if self.depth:
            return func(*args, **kwargs)
        before = self._about(args, kwargs)
        y = func(*args, **kwargs)
        if isinstance(y, torch.Tensor) and before[0]:
            name = getattr(func, "__name__", str(func))
            kind = kinds.OF_FUNCTION.get(name) or kinds.OF_FUNCTION.get(name.rstrip("_"), "other")
            if len(before[0]) == 1 and kind in ("add", "subtract", "multiply"):
                kind = "other"  # with a number
            self._keep(f"{name}()", kind, None, func, before, y)
        return y

    def _about(self, args, kwargs) -> tuple:
        """(positions of the calls read, arguments with slots, shape of the first, whether none of
        it is negative), before an operation in place changes it."""
        sources: list[int] = []
        first: list[torch.Tensor] = []

        def slotted(held):
            if not isinstance(held, torch.Tensor) or id(held) not in self.made_by:
                return held
            sources.append(self.made_by[id(held)])
            first.append(held)
            return Slot(len(sources) - 1)

        args, kwargs = trees.tree_map(slotted, (args, kwargs))
        if not first:
            return (), args, kwargs, (), False
        with torch._C.DisableTorchFunction():
            return (tuple(sources), args, kwargs, tuple(first[0].shape),
                    bool((first[0] >= 0).all()))

    def _keep(self, title, kind, module, function, before, y) -> None:
        sources, args, kwargs, read, never_negative = before
        if not sources or not isinstance(y, torch.Tensor):
            return
        with torch._C.DisableTorchFunction():
            made = tuple(y.shape)
            if self.wants_arrays:  # before an operation in place changes it
                self.arrays.append(y.numpy().copy())
        if kind == "flatten" and len(made) == len(read):
            kind = "moved" if made == read else kind
        self.made_by[id(y)] = len(self.calls)
        self.kept.append(y)
        self.calls.append(Call(title, kind, sources, module, function, args, kwargs, read, made,
                               never_negative))
