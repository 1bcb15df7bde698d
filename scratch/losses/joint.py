"""The loss of a model of several outputs: a loss and a weight for each, added up.

    model.compile("sgd", loss={"class": "categorical_crossentropy", "box": "mse"},
                  loss_weights={"class": 1.0, "box": 0.2})

What each output's loss is by itself is kept beside the sum: Keras reports it as `class_loss`,
without its weight.
"""

import copy
from typing import Any, NamedTuple

import numpy as np

from scratch.errors import UnsupportedError
from scratch.losses.base import Loss
from scratch.losses.registry import get, serialize
from scratch.several import Several, Structure


class Term(NamedTuple):
    """The loss of one output.

    Attributes:
        output: which one, from 0.
        name: the output's.
        loss: what is computed.
        weight: what it counts for in the sum; None for 1.
    """

    output: int
    name: str
    loss: Loss
    weight: float | None


class JointTargets(Several):
    """Labels of each output that the losses have checked; so are slices of them."""


class Value:
    """The losses of a batch, or of a part of one.

    Attributes:
        total: their weighted sum, and whatever penalties were added to it.
        terms: each by itself, without its weight.
    """

    __slots__ = ("total", "terms")

    def __init__(self, total, terms):
        self.total, self.terms = total, tuple(terms)

    def __float__(self) -> float:
        return float(self.total)

    def __add__(self, other) -> "Value":
        """With another part of the batch, or with a penalty."""
        if isinstance(other, Value):
            return Value(self.total + other.total,
                         [a + b for a, b in zip(self.terms, other.terms)])
        return Value(self.total + other, self.terms)

    __radd__ = __add__


class JointLoss:
    """A weighted sum of the outputs' losses, in the place of a `Loss`: with labels, outputs and
    gradients that are `Several`.

    Args:
        loss: what was given to `compile`: one loss for all outputs, or a list or a dictionary of
            losses and None.
        loss_weights: None, or as many numbers as there are losses, in a list or a dictionary.
        structure: the form of the model's outputs.
        names: of the outputs, in the inner order.
        owner: the model, for messages.

    Raises:
        ValueError: for another number of losses or weights, and where no output has a loss.
        UnsupportedError: for a loss that is not known, or several for one output.
    """

    def __init__(self, loss, loss_weights, structure: Structure, names: list[str], owner):
        self.given, self.loss_weights = loss, loss_weights
        self.structure, self.names = structure, names
        self.terms = _terms(loss, loss_weights, structure, names, str(owner))

    def __copy__(self) -> "JointLoss":
        """One for another thread, each of whose losses remembers a gradient of its own."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.terms = [term._replace(loss=copy.copy(term.loss)) for term in self.terms]
        return twin

    @property
    def over_batch(self) -> bool:
        """Whether a loss depends on several samples, so that a batch is not to be split."""
        return any(term.loss.over_batch for term in self.terms)

    @property
    def outputs(self) -> list[int]:
        """Of which outputs there are losses."""
        return [term.output for term in self.terms]

    def checked(self, y_true, shapes: list[tuple], dtype) -> JointTargets:
        """Labels of every output with a loss, checked now and so never again; of the others, which
        metrics may read, as they are.

        Raises:
            ValueError: as the losses do, naming the output, and for labels that are missing.
        """
        found: list[Any] = [None if labels is None else np.asarray(labels)
                            for labels in y_true.arrays]
        for term in self.terms:
            labels = y_true.arrays[term.output]
            if labels is None:
                raise ValueError(f"Expected labels for the output {term.name!r}, which has a loss. "
                                 "Received: None")
            try:
                found[term.output] = term.loss.checked(labels, shapes[term.output], dtype)
            except ValueError as error:
                raise ValueError(f"Output {term.name!r}: {error}") from None
        return JointTargets(found)

    def weigh(self, y_true: Several, sample_weight, dtype, mask: Several | None = None) -> Several:
        """One batch, with what each of its losses counts for.

        Args:
            sample_weight: one for all outputs, `Several`, or None.
            mask: for each output which of its losses count, or None.
        """
        batches: list[Any] = [None] * len(self.names)
        for term in self.terms:
            weight = sample_weight
            if isinstance(sample_weight, Several):
                weight = sample_weight.arrays[term.output]
            own = None if mask is None else mask.arrays[term.output]
            batches[term.output] = term.loss.weigh(y_true.arrays[term.output], weight, dtype,
                                                   *(() if own is None else (own,)))
        return Several(batches)

    def fuses(self, kinds, y_true: Several, shapes) -> tuple[bool, ...]:
        """For each output whether its loss is computed from the input of its last activation."""
        fused = [False] * len(self.names)
        for i, loss in self._each():
            fused[i] = fused[i] or loss.fuses(kinds[i], y_true.arrays[i], shapes[i])
        return tuple(fused)

    def forward(self, y_true: Several, y_pred: Several, from_logits=None,
                sample_weight=None, mask: Several | None = None) -> Value:
        """The batch's loss.

        Args:
            y_true: labels, or what `weigh` gave.
            y_pred: each output, or the logits it is made of.
            from_logits: for each output whether those are its logits; None for the losses' own
                settings.
            sample_weight, mask: as `weigh` takes them.
        """
        gradients: list[Any] = [None] * len(self.names)
        values, total = [], None
        for term in self.terms:
            i = term.output
            weight = sample_weight
            if isinstance(sample_weight, Several):
                weight = sample_weight.arrays[i]
            fused = (from_logits[i] or None) if from_logits is not None else None
            own = None if mask is None else mask.arrays[i]
            more = {} if own is None else {"mask": own}
            value = term.loss.forward(y_true.arrays[i], y_pred.arrays[i], fused,
                                      sample_weight=weight, **more)
            gradient = term.loss.backward()
            values.append(value)
            if term.weight is not None:
                factor = gradient.dtype.type(term.weight)
                value, gradient = value * factor, gradient * factor
            total = value if total is None else total + value
            gradients[i] = gradient
        self._gradients = Several(gradients)
        return Value(total, values)

    def backward(self) -> Several:
        """The gradients of the sum with respect to the y_pred last seen; None without a loss."""
        return self._gradients

    def _each(self):
        return [(term.output, term.loss) for term in self.terms]

    def get_config(self) -> dict:
        """Keras's `loss` and `loss_weights` for the same."""
        by_output = {term.output: term for term in self.terms}
        losses = [serialize(by_output[i].loss) if i in by_output else None
                  for i in range(len(self.names))]
        weights = [by_output[i].weight if i in by_output else None for i in range(len(self.names))]
        if self.structure.keys is not None:
            keys = [self.structure.order[term.output] for term in self.terms]  # they are added so
            packed = {"loss": {key: losses[self.structure.order.index(key)] for key in keys},
                      "loss_weights": {key: weights[self.structure.order.index(key)]
                                       for key in keys}}
        else:
            packed = {"loss": losses, "loss_weights": weights}
        if all(term.weight is None for term in self.terms):
            packed["loss_weights"] = None
        return packed


def _terms(loss, loss_weights, structure: Structure, names: list[str], owner: str) -> list[Term]:
    """One for each loss that there is, in the order in which Keras adds them up."""
    where = {key: i for i, key in enumerate(structure.order)}
    if not isinstance(loss, (list, tuple, dict)) or _is_one(loss):
        if loss_weights is not None:
            raise ValueError(f"{owner}: expected as many losses as loss_weights: a loss for each "
                             f"output of {names}. Received: one loss, and {loss_weights!r}")
        pairs = [(i, loss if i == 0 else _another(loss), None) for i in range(len(names))]
    elif isinstance(loss, dict):
        if structure.keys is None:
            where = {name: i for i, name in enumerate(names)}
        unknown = set(loss) - set(where)
        if unknown or (structure.keys is None and set(loss) != set(where)):
            raise ValueError(f"{owner}: expected a loss, or None, for each output of "
                             f"{list(where)}. Received: {list(loss)}")
        weights = _weights(loss_weights, list(loss), owner)
        pairs = [(where[key], loss[key], weight) for key, weight in zip(loss, weights)]
        if structure.keys is None:
            pairs.sort(key=lambda pair: pair[0])
    else:
        if len(loss) != len(names):
            raise ValueError(f"{owner}: expected a loss, or None, for each output of {names}. "
                             f"Received: {len(loss)} losses")
        weights = _weights(loss_weights, structure.order if structure.keys is not None else names,
                           owner)
        pairs = list(zip(range(len(names)), loss, weights))
        if structure.keys is not None:
            pairs = [pairs[where[key]] for key in structure.keys]
    terms = []
    for i, given, weight in pairs:
        if isinstance(given, (list, tuple)):
            raise UnsupportedError(f"{owner}: expected one loss for the output {names[i]!r}. "
                                   f"Received a {type(given).__name__} of {len(given)}.")
        if given is not None:
            terms.append(Term(i, names[i], get(given), None if weight is None else float(weight)))
    if not terms:
        raise ValueError(f"{owner}: expected a loss for at least one output of {names}. "
                         "Received: none")
    return terms


def _weights(given, keys: list, owner: str) -> list:
    """As many weights as keys, in their order."""
    if given is None:
        return [None] * len(keys)
    if not isinstance(given, (list, tuple, dict)) or len(given) != len(keys):
        count = len(given) if isinstance(given, (list, tuple, dict)) else given
        raise ValueError(f"{owner}: expected loss_weights for each loss of {list(keys)}. "
                         f"Received: {count!r}")
    if isinstance(given, dict):
        if set(given) != set(keys):
            raise ValueError(f"{owner}: expected loss_weights for {list(keys)}. "
                             f"Received: {list(given)}")
        return [given[key] for key in keys]
    return list(given)


def _is_one(loss) -> bool:
    """Whether a dictionary is Keras's description of a single loss."""
    return isinstance(loss, dict) and "class_name" in loss


def _another(loss):
    """A loss like that one, to remember a gradient of its own."""
    if isinstance(loss, Loss):
        return type(loss).from_config(loss.get_config())
    return loss


def total_of(value: Any) -> Any:
    """A batch's loss, a number, whichever kind of loss gave it."""
    return value.total if isinstance(value, Value) else value
