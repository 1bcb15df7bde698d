"""Network number n of a seed: the same one whenever it is drawn, whatever others are.

The vocabulary is a list of goals, (layer, argument, value) and the like, shuffled by the seed;
network n is built around goal n modulo their number, so that rare values are seen as often as
common ones. Everything else about it is drawn at random.
"""

from functools import lru_cache

import numpy as np

from compare.evaluation.fuzzing import loss_grammar
from compare.evaluation.fuzzing.building import layer_of
from compare.evaluation.fuzzing.changing_shapes import reshaped
from compare.evaluation.fuzzing.grammar import (
    IMAGE,
    SEQUENCE,
    VECTOR,
    VOLUME,
    VOLUMES,
    Derived,
    label,
)
from compare.evaluation.fuzzing.layer_grammar import ANY, IN_BRANCHES, LAYERS, MASK_VALUES
from compare.evaluation.fuzzing.low_precision import lowered
from compare.evaluation.fuzzing.specification import (
    Node,
    Specification,
    batch_of,
    output_shapes,
    sample_weights_of,
    targets_of,
)
from compare.evaluation.fuzzing.structure import structured, with_fractions
from scratch.errors import UnsupportedError
from scratch.layers import LAYERS as KNOWN

LONGEST = 5  # layers before the end
TRIES = 200  # of arguments that fit; the goal's own value stays


def goals(seed: int) -> list[tuple]:
    """(kind, name, argument, number of the value), in an order of the seed's own."""
    none: dict[str | None, tuple] = {None: (None,)}  # a layer without arguments is a goal, too
    found = [("layer", name, argument, i) for name, entry in LAYERS.items()
             for argument, values in (entry.arguments or none).items()
             for i in range(len(values))]
    found += [("loss", name, argument, i) for name, (_, arguments) in loss_grammar.LOSSES.items()
              for argument, values in arguments.items() for i in range(len(values))]
    found += [("optimizer", name, argument, i)
              for name, arguments in loss_grammar.OPTIMIZERS.items()
              for argument, values in arguments.items() for i in range(len(values))]
    order = np.random.default_rng([seed, 0]).permutation(len(found))
    return [found[i] for i in order]


cached_goals = lru_cache(maxsize=4)(goals)


def draw(seed: int, number: int) -> Specification:
    """The network of that number."""
    rng = np.random.default_rng([seed, 1, number])
    all_goals = cached_goals(seed)
    plain = Draw(rng, all_goals[number % len(all_goals)]).specification([seed, number])
    whole = structured(with_fractions(plain), np.random.default_rng([seed, 3, number]))
    whole = without_refused_masks(reshaped(whole, np.random.default_rng([seed, 5, number])))
    if whole.optimizer and whole.optimizer[0] == "ScheduleFreeAdamW" and any(
            node.class_name == "SpectralNormalization" for node in whole.nodes):
        whole.optimizer = ["Adam", {"learning_rate": 0.01}]  # which goes on from any weights
    return lowered(whole, np.random.default_rng([seed, 4, number]))


def without_refused_masks(specification: Specification) -> Specification:
    """The network as it is; where a mask comes to what does not take one here, without masks."""
    makers = [node for node in specification.nodes if node.makes_mask]
    if makers:
        try:
            _try_masked_loss(specification)
        except (UnsupportedError, ValueError):
            for node in makers:
                if node.class_name == "Masking":
                    node.class_name, node.arguments = "Identity", {}
                else:
                    node.arguments["mask_zero"] = False
    return specification


def _try_masked_loss(specification: Specification) -> None:
    """Build the network, which runs each layer, and compute its loss if a mask reaches that: not
    every loss takes one, nor every layer one of other steps than its own."""
    model = specification.build()
    if specification.loss is not None and model.has_output_masks:
        shapes = output_shapes(specification, model)
        model.forward_and_loss(batch_of(specification), targets_of(specification, shapes),
                               sample_weight=sample_weights_of(specification, shapes))


class Draw:
    """One network being drawn."""

    def __init__(self, rng, goal):
        self.rng, self.goal = rng, goal
        self.data_format = "channels_first" if rng.random() < 0.2 else "channels_last"
        kind, name, argument, i = goal
        if kind == "layer" and argument == "data_format":
            self.data_format = LAYERS[name].arguments[argument][i]
        self.nodes: list[Node] = []
        self.shapes: list[tuple] = []  # of each node's output, without the batch
        self.top = -1  # the node whose output comes next

    def specification(self, seed) -> Specification:
        rng, (kind, name, _, _) = self.rng, self.goal
        rank = self._rank()
        self.input_shape = self._input_shape(rank)
        before = int(rng.integers(0, 3))
        self._random_layers(before, keep_rank=kind == "layer")
        if kind == "layer":
            self._add_goal()
        self._random_layers(int(rng.integers(0, LONGEST - before)))
        loss = self._end(name if kind == "loss" else None)
        optimizer, dtype = None if loss is None else self._optimizer(), self._dtype()
        if optimizer is not None and optimizer[0] == "Muon" and dtype == "float64":
            # Keras's Muon cannot multiply numbers of float64 by a schedule's rate, of float32
            rate = optimizer[1]["learning_rate"]
            optimizer[1]["learning_rate"] = 0.01 if isinstance(rate, dict) else rate
        return Specification(
            [int(n) for n in self.input_shape], self.nodes, loss, optimizer,
            dtype=dtype,
            batch=int(rng.choice([2, 3, 5])), weighted=bool(loss and rng.random() < 0.3),
            steps=int(loss is not None and rng.random() < 0.25) * 3, seed=list(seed))

    def _dtype(self) -> str:
        """float32 more often than not, and where Keras has no other kernels for a layer."""
        drawn = str(self.rng.choice(["float32", "float64"], p=[0.75, 0.25]))
        known = all(drawn in LAYERS[node.class_name].dtypes(node.arguments) for node in self.nodes)
        return drawn if known else "float32"

    @property
    def shape(self) -> tuple:
        return self.input_shape if self.top < 0 else self.shapes[self.top]

    def _rank(self) -> int:
        kind, name, _, _ = self.goal
        ranks = LAYERS[name].ranks if kind == "layer" else ANY
        often = np.array([6, 3, 1, 1][:len(ranks)])
        return int(self.rng.choice(ranks, p=often / often.sum()))

    def _input_shape(self, rank: int) -> tuple:
        """Not square, few channels; an even number of them more often than not.

        Volumes are smaller along each axis, so that they hold not many more numbers.
        """
        rng = self.rng
        sizes = [int(n) for n in rng.choice(np.arange(5, 10), 2, replace=False)]
        channels = int(rng.choice([1, 2, 3, 4], p=[0.15, 0.4, 0.1, 0.35]))
        if rank == VECTOR:
            return (int(rng.integers(3, 10)),)
        sizes = sizes if rank == IMAGE else sizes[:1]
        if rank == VOLUME:
            sizes = [int(n) for n in rng.choice(np.arange(3, 7), 3, replace=False)]
        if rank == VOLUMES:
            sizes = [int(n) for n in rng.permutation([2, 3, 3, 4])]
        return (*sizes, channels) if self.data_format == "channels_last" else (channels, *sizes)

    def _random_layers(self, count: int, keep_rank: bool = False) -> None:
        names = list(LAYERS)
        for _ in range(count):
            rank = len(self.shape)
            name = names[self.rng.integers(len(names))]
            if rank not in LAYERS[name].ranks:
                continue
            kept = self.nodes[:], self.shapes[:], self.top
            if not self._add(name) or (keep_rank and len(self.shape) != rank):
                self.nodes, self.shapes, self.top = kept

    def _add_goal(self) -> None:
        _, name, argument, i = self.goal
        fixed = {} if argument is None else {argument: LAYERS[name].arguments[argument][i]}
        for _ in range(TRIES):
            if KNOWN[name].uses_masks and len(self.shape) == SEQUENCE and self.rng.random() < 0.3:
                self._put("Masking", {"mask_value": float(self.rng.choice(MASK_VALUES))},
                          [self.top])
            if self._add(name, fixed):
                return
            # what came before left an image too small for it, or its channels do not suit
            self.nodes, self.shapes, self.top = [], [], -1
            if argument != "data_format":
                self.data_format = "channels_last"
            self.input_shape = self._input_shape(self._rank())

    def _add(self, name: str, fixed: dict | None = None) -> bool:
        """Put a layer on top, with arguments that fit; False if none were found."""
        entry = LAYERS[name]
        if len(self.shape) not in entry.ranks or (
                self.nodes and (entry.classes or entry.stands_first)):
            return False
        for _ in range(TRIES):
            drawn = self._arguments(entry, fixed or {})
            chosen = {argument: value.value(self.shape) if isinstance(value, Derived) else value
                      for argument, value in drawn.items()}
            if entry.fits(chosen, self.shape, self.data_format):
                break
        else:
            return False
        if entry.inputs == 2:
            self._merge(name, chosen)
        else:
            self._put(name, chosen, [self.top])
        if name == "Masking" or chosen.get("mask_zero"):
            self._use_mask(name, chosen)
            return True
        self.nodes[-1].labels = {argument: value.label for argument, value in drawn.items()
                                 if isinstance(value, Derived)}
        return True

    def _use_mask(self, name: str, chosen: dict) -> None:
        """Put a layer that uses the mask behind the one that makes it, more often than not."""
        if len(self.shape) == SEQUENCE and self.rng.random() < 0.8:
            users = [each for each in LAYERS if KNOWN[each].uses_masks]
            self._add(users[self.rng.integers(len(users))])

    def _arguments(self, entry, fixed: dict) -> dict:
        """Each argument left at its default or drawn; the values as Keras wants them."""
        chosen = {}
        for argument, values in entry.arguments.items():
            if argument in fixed:
                value = fixed[argument]
            elif argument == "data_format":
                value = self.data_format
            elif argument in ("filters", "units", "kernel_size", "pool_size", "axis", "rate",
                              "target_shape", "dims", "size", "cropping", "padding"):
                value = values[self.rng.integers(len(values))]
            else:
                value = values[self.rng.integers(len(values)) if self.rng.random() < 0.3 else 0]
            chosen[argument] = value
        return chosen

    def _put(self, name: str, arguments: dict, sources: list[int]) -> None:
        shapes = [self.input_shape if s < 0 else self.shapes[s] for s in sources]
        layer = layer_of(name, arguments)
        given: list = [(None, *shape) for shape in shapes]
        output = layer.compute_output_shape(given if layer.merges else given[0])
        self.nodes.append(Node(name, arguments, list(sources)))
        self.shapes.append(tuple(int(n) for n in output[1:]))
        self.top = len(self.nodes) - 1

    def _merge(self, name: str, arguments: dict) -> None:
        """A branch that keeps the shape, joined with what it started from: a skip connection."""
        start, shape = self.top, self.shape
        self._branch(shape)
        sources = [start, self.top] if self.rng.random() < 0.5 else [self.top, start]
        self._put(name, arguments, sources)

    def _branch(self, shape: tuple) -> None:
        """One or two layers after which the shape is the same."""
        rng = self.rng
        if len(shape) == IMAGE and self.data_format == "channels_last" and rng.random() < 0.7:
            self._put("Conv2D", {"filters": shape[-1], "kernel_size": (3, 2), "padding": "same",
                                 "activation": str(rng.choice(["relu", "linear", "tanh"]))},
                      [self.top])
        elif len(shape) == SEQUENCE and self.data_format == "channels_last" and rng.random() < 0.7:
            self._put("Conv1D", {"filters": shape[-1], "kernel_size": 3, "padding": "same"},
                      [self.top])
        else:
            self._put("Dense", {"units": shape[-1]}, [self.top])
        if rng.random() < 0.5:
            name = str(rng.choice(list(IN_BRANCHES)))
            self._put(name, dict(IN_BRANCHES[name]), [self.top])

    def _end(self, wanted: str | None) -> list | None:
        """Flatten or not, a dense layer with the loss's activation, and the loss."""
        rng = self.rng
        if wanted is None and rng.random() < 0.15:
            if self.top < 0:
                self._put("Dense", {"units": 3}, [-1])
            return None
        if len(self.shape) > VECTOR and rng.random() < 0.8:
            self._put("Flatten", {"data_format": self.data_format}, [self.top])
        names = list(loss_grammar.LOSSES)
        name = wanted or (names[rng.integers(len(names))] if rng.random() < 0.6
                          else "SparseCategoricalCrossentropy")
        activations, choices = loss_grammar.LOSSES[name]
        activation = activations[rng.integers(len(activations))]
        if name in loss_grammar.OF_LENGTH_1 and len(self.shape) > VECTOR:
            self._put("Flatten", {"data_format": self.data_format}, [self.top])
        self._last_layer(activation)
        if name in loss_grammar.OF_LENGTH_1:
            self._put("UnitNormalization", {"axis": -1}, [self.top])
        arguments = {}
        for argument, values in choices.items():
            value = values[rng.integers(len(values)) if rng.random() < 0.4 else 0]
            if self.goal[:3] == ("loss", name, argument):
                value = values[self.goal[3]]
            arguments[argument] = value
        if name in loss_grammar.FROM_LOGITS:
            arguments["from_logits"] = activation == "linear"
        return [name, arguments]

    def _last_layer(self, activation: str) -> None:
        """Dense with that activation inside it, after it as a layer, or after it by name."""
        units, form = int(self.rng.integers(2, 6)), self.rng.random()
        if form < 0.6:
            self._put("Dense", {"units": units, "activation": activation}, [self.top])
            return
        self._put("Dense", {"units": units}, [self.top])
        if activation == "softmax" and form < 0.8:
            self._put("Softmax", {}, [self.top])
        elif activation != "linear":
            self._put("Activation", {"activation": activation}, [self.top])

    def _optimizer(self) -> list:
        rng, (kind, wanted, argument, i) = self.rng, self.goal
        names = list(loss_grammar.OPTIMIZERS)
        name = wanted if kind == "optimizer" else names[rng.integers(len(names))]
        arguments = {"learning_rate": loss_grammar.RATES[rng.integers(len(loss_grammar.RATES))],
                     **loss_grammar.CLIPPING[rng.integers(len(loss_grammar.CLIPPING))
                                             if rng.random() < 0.4 else 0],
                     **loss_grammar.AROUND[rng.integers(len(loss_grammar.AROUND))
                                           if rng.random() < 0.4 else 0]}
        for key, values in loss_grammar.OPTIMIZERS[name].items():
            arguments[key] = values[rng.integers(len(values)) if rng.random() < 0.3 else 0]
        if kind == "optimizer":
            arguments[argument] = loss_grammar.OPTIMIZERS[name][argument][i]
        return [name, arguments]


def seen(specification: Specification) -> list[str]:
    """Every 'layer|argument|value' in a network, losses and optimizers included, for counting.

    Values that depend on the shape are named by their labels.
    """
    found = []
    for node in specification.nodes:
        found.append(f"{node.class_name}||")
        if node.class_name not in LAYERS:
            continue  # an operation
        for argument, values in LAYERS[node.class_name].arguments.items():
            text = node.labels.get(argument) or label(node.arguments.get(argument, values[0]))
            found.append(f"{node.class_name}|{argument}|{text}")
    if specification.loss and specification.optimizer:
        name, arguments = specification.loss
        found += [f"{name}||", *(f"{name}|{key}|{value}" for key, value in arguments.items())]
        found.append(f"{name}|sample_weight|{specification.weighted}")
        name, arguments = specification.optimizer
        found += [f"{name}||", *(f"{name}|{key}|{label(value)}"
                                 for key, value in arguments.items())]
    found += [f"network|has|{what}" for what, there in (
        ("operations", any(node.class_name not in LAYERS for node in specification.nodes)),
        ("states handed on", any(node.places for node in specification.nodes)),
        ("shared layers", any(node.again is not None for node in specification.nodes)),
        ("models inside", specification.inside),
        ("several inputs", specification.more_inputs),
        ("several outputs", specification.outputs),
        ("shared models", any(calls > 1 for *_, calls in specification.inside))) if there]
    return [*found, f"network|dtype|{specification.policy or specification.dtype}",
            f"network|kind|{'Sequential' if specification.is_stack else 'functional'}",
            f"network|loss|{'yes' if specification.loss else 'no'}",
            f"network|lockstep|{specification.steps > 0}"]
