"""The conventions of somebody's layer, as declared by whoever wraps it, checked one by one."""

import copy
import re
from dataclasses import dataclass, field
from typing import Any

from compare.adapters import accessors
from compare.tracing.layer_error import RAISED

# What may be handed to a forward or a backward pass, and what may come back; besides these, the
# weights by their Keras names, and their gradients as 'kernel_gradient'.
TAKEN = ("x", "dy", "output", "labels", "cache", "learning_rate", "training", "logits_gradient")
GIVEN = ("output", "logits", "cache", "loss", "input_gradient", "gradients", "ignored")
WEIGHTS = ("kernel", "bias", "depthwise_kernel", "pointwise_kernel", "gamma", "beta",
           "moving_mean", "moving_variance", "alpha")
STEPS = ("weights", "gradients", "weights_by_name", "gradients_by_name", "pairs", "weight",
         "gradient", "name")  # what the step of an optimizer takes besides
NUMBERED = re.compile(r"(x|input_gradient)_[1-9][0-9]*")  # of several inputs
APPLIED = "applied"


@dataclass
class Conventions:
    """An object and how it wants to be treated; the arguments are those of `compare.wrap`.

    With `placed` it becomes a layer that stands for one of Keras's.
    """

    obj: Any = None
    forward: Any = "forward"
    backward: Any = "backward"
    forward_takes: tuple | None = None
    forward_gives: tuple | None = None
    backward_takes: tuple | None = None
    backward_gives: tuple | None = None
    kernel: Any = None
    bias: Any = None
    weights: dict = field(default_factory=dict)
    kernel_layout: Any = None
    gradients: Any = None
    learning_rate: Any = None
    per_sample: bool = False
    divides_by_batch: bool | dict | None = None
    data_format: str | None = None
    flatten_order: str | None = None
    batched: Any = True
    batch_axis: int = 0
    activation: str = "inside"
    labels: str | None = None
    reset: str | None = None
    reset_before: str = "backward"
    mode: Any = None
    lazy: bool = False
    loss: Any = None
    loss_takes: tuple | None = None
    step: Any = None
    step_takes: tuple | None = None
    step_gives: tuple | None = None
    input_shape: tuple | None = None
    layers: int | None = None
    mask: Any = None

    def __post_init__(self):
        self._check_object()
        self._check_places()
        self._check_passes()
        self._check_choices()

    @property
    def name(self) -> str:
        """Whose layer it is, for people: the object's class, or the function's name."""
        if self.obj is not None:
            return type(self.obj).__name__
        return getattr(self.forward, "__name__", "function").strip("<>")

    def given_back(self) -> list[str] | None:
        """All that the backward pass was declared to return; None if nothing was declared."""
        return None if self.backward_gives is None else _flat(self.backward_gives)

    def divides(self, what: str) -> bool | None:
        """Whether a loss's 'loss' or its 'gradient' is the batch's mean; None for not told."""
        told = self.divides_by_batch
        return told[what] if isinstance(told, dict) else told

    @property
    def joined(self) -> bool:
        """Whether softmax and loss are one, so that a pass is given the labels."""
        return any("labels" in (takes or ()) for takes in (self.forward_takes,
                                                           self.backward_takes))

    @property
    def applies(self) -> bool:
        """Whether the backward pass itself changes the weights."""
        return self.gradients == APPLIED

    def own_object(self):
        """A copy of the object, so that the one that was handed over stays as it is."""
        return copy.deepcopy(self.obj)

    def placed(self, like, keras_layer=None, form=None):
        """A layer that stands for `like`; see `compare.adapters.factory`."""
        from compare.adapters.factory import placed  # which reads conventions

        return placed(self, like, keras_layer, form)

    def _check_object(self) -> None:
        if isinstance(self.obj, type):
            raise TypeError(f"Expected an object, such as {self.obj.__name__}(...). Received the "
                            f"class {self.obj.__name__}")
        try:
            self.own_object()
        except RAISED as error:  # somebody's object may hold anything
            raise TypeError("Expected an object that copy.deepcopy can copy, so that it can be "
                            f"left as it is. Received {self.name}: {error}") from None
        if self.obj is None and not callable(self.forward):
            raise TypeError("Expected an object, or functions: wrap(forward=f, backward=g). "
                            "Received neither")

    def _check_passes(self) -> None:
        for what in ("forward", "backward", "loss", "step"):
            method = getattr(self, what)
            if getattr(method, "__self__", None) is self.obj is not None:  # a method of the object
                setattr(self, what, method.__name__)
            elif method is not None and not isinstance(method, str) and not callable(method):
                raise TypeError(f"Expected {what} to be a method's name or a function. "
                                f"Received: {method!r}")
            weights = tuple(dict.fromkeys((*WEIGHTS, *self.weights)))
            self._check_names(f"{what}_takes", (*TAKEN, *weights, *(STEPS if what == "step"
                                                                    else ())))
            if what in ("forward", "backward"):
                self._check_names(f"{what}_gives",
                                  (*GIVEN, *(f"{name}_gradient" for name in weights)))
        self._check_names("step_gives", ("weight", "cache", "ignored"))

    def _check_names(self, argument: str, known: tuple) -> None:
        names = getattr(self, argument)
        if names is None:
            return
        names = (names,) if isinstance(names, str) else _tuples(names)
        unknown = [name for name in _flat(names) if name not in known
                   and not (NUMBERED.fullmatch(name) and name.rpartition("_")[0] in known)
                   and not (argument == "backward_gives" and "/" in name)]
        if argument.endswith("_takes"):
            unknown += [name for name in names if not isinstance(name, str)]
        if unknown:
            raise ValueError(f"Expected {argument} to be of {', '.join(known)}. "
                             f"Received: {', '.join(map(repr, unknown))}")
        setattr(self, argument, names)

    def _check_places(self) -> None:
        held = dict(self.weights)
        for name in ("kernel", "bias"):
            if getattr(self, name) is not None:
                held[name] = getattr(self, name)
        self.weights = {name: accessors.checked(place, f"the place of {name!r}")
                        for name, place in held.items()}
        if isinstance(self.gradients, dict):
            self.gradients = {name: accessors.checked(place, f"the place of {name!r}'s gradient")
                              for name, place in self.gradients.items()}
        elif self.gradients not in (None, APPLIED):
            raise ValueError("Expected gradients to be a dictionary such as {'kernel': 'dW'}, or "
                             "'applied' where the backward pass changes the weights itself; those "
                             "that it returns are named in backward_gives. "
                             f"Received: {self.gradients!r}")
        if self.applies and self.learning_rate is None and \
                "learning_rate" not in (self.backward_takes or ()):
            raise ValueError("Expected learning_rate, a number or the name of an attribute, or "
                             "'learning_rate' in backward_takes, to recover gradients that are "
                             "applied at once. Received neither")
        if not isinstance(self.learning_rate, str) and self.learning_rate is not None and \
                not self.learning_rate > 0:
            raise ValueError("Expected learning_rate to be above 0. "
                             f"Received: {self.learning_rate!r}")

    def _check_choices(self) -> None:
        for argument, choices in (
                ("data_format", (None, "channels_first", "channels_last")),
                ("flatten_order", (None, "CHW", "HWC")), ("batched", (True, False, "one")),
                ("batch_axis", (0, -1)), ("activation", ("inside", "apart")),
                ("reset_before", ("backward", "forward")),
                ("labels", (None, "classes", "one_hot"))):
            if getattr(self, argument) not in choices:
                raise ValueError(f"Expected {argument} to be one of {choices}. "
                                 f"Received: {getattr(self, argument)!r}")
        if isinstance(self.divides_by_batch, dict) and \
                not (self.joined and set(self.divides_by_batch) == {"loss", "gradient"}):
            raise ValueError("Expected divides_by_batch to be True or False; or, of what gives a "
                             "loss, {'loss': True, 'gradient': False}. "
                             f"Received: {self.divides_by_batch!r}")
        if self.layers is not None and (isinstance(self.layers, bool)
                                        or not isinstance(self.layers, int) or self.layers < 1):
            raise ValueError("Expected layers to be how many of Keras's layers the object stands "
                             f"for, 1 or more. Received: {self.layers!r}")
        if self.mode is not None:
            accessors.checked(self.mode, "mode")
        if self.mask is not None:
            accessors.checked(self.mask, "mask")
            if self.batched is not True:
                raise ValueError("Expected mask with batches only. Received: "
                                 f"batched={self.batched!r}")
        if self.per_sample and self.batched is not True:
            raise ValueError("Expected per_sample with batches only. Received: "
                             f"batched={self.batched!r}")


def _tuples(names) -> tuple:
    """Names, those in lists inside in tuples."""
    return tuple(name if isinstance(name, str) else _tuples(name) for name in names)


def _flat(names: tuple) -> list[str]:
    """All names, those in tuples inside among them."""
    return [each for name in names for each in ([name] if isinstance(name, str) else _flat(name))]
