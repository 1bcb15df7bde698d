"""A network as plain data: small, printable, and the same network whenever it is built again."""

import copy
from dataclasses import asdict, dataclass, field

import numpy as np

import scratch
from compare.evaluation.fuzzing.building import model_of
from compare.evaluation.fuzzing.layer_grammar import LAYERS
from compare.inputs.batches import few_classes
from compare.oracle.losses import LABELLED
from scratch import low_precision
from scratch.low_precision import keep_rounded
from scratch.masks import taken
from scratch.several import Several, each

TRIES = 45  # of a tenth each: beyond them a weight of float32 is 0


@dataclass
class Node:
    """One layer: its class, its arguments, and the nodes it reads (-1 is the network's input).

    `places` says which output of each source it reads, [] for the first of all.
    `labels` names, for the coverage table, arguments whose values were worked out from a shape;
    `again` is the number of the node whose layer is called once more here, None for none.
    """

    class_name: str
    arguments: dict
    sources: list[int]
    labels: dict[str, str] = field(default_factory=dict)
    again: int | None = None
    places: list[int] = field(default_factory=list)

    @property
    def makes_mask(self) -> bool:
        """Whether some steps of its output do not count."""
        return self.class_name == "Masking" or bool(self.arguments.get("mask_zero"))


@dataclass
class Specification:
    """A network, its loss and optimizer, and how its weights and batch are drawn.

    Attributes:
        input_shape: of one sample.
        nodes: in the order of computation; the last one's output is the network's.
        loss, optimizer: Keras's class name and arguments; both None for no loss, when a random
            gradient takes its place.
        weighted: whether the samples have weights.
        steps: of training in lockstep.
        seed: of weights, inputs, labels.
        policy: of float16 or bfloat16, for those layers whose arithmetic in it is proved; '' for
            none.
        inside: models among the layers: [first node, the one behind the last, number of calls].
        more_inputs: shapes of a sample of further inputs, which nodes read as -2, -3 ...
        outputs: where there are several: [node, loss or None, weight or None] of each; the first
            node is the last one, whose loss is `loss`.
    """

    input_shape: list[int]
    nodes: list[Node]
    loss: list | None
    optimizer: list | None
    dtype: str = "float32"
    batch: int = 3
    weighted: bool = False
    steps: int = 0
    seed: list[int] = field(default_factory=lambda: [0, 0])
    inside: list[list[int]] = field(default_factory=list)
    policy: str = ""
    more_inputs: list[list[int]] = field(default_factory=list)
    outputs: list[list] = field(default_factory=list)

    def plain(self) -> dict:
        """The same as dictionaries and lists, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: dict) -> "Specification":
        """The inverse of `plain`."""
        values = copy.deepcopy(values)
        return cls(**{**values, "nodes": [Node(**node) for node in values["nodes"]]})

    def build(self):
        """The scratch model, compiled if there is a loss, its weights drawn; see `building.py`."""
        scratch.set_random_seed(self.seed[-1])
        model = model_of(self)
        if self.loss is not None:
            losses = [None if loss is None else loss_of(loss, self.dtype)
                      for _, loss, _ in self.outputs]
            weights = [weight for *_, weight in self.outputs]
            model.compile(optimizer_of(self.optimizer),
                          losses or loss_of(self.loss, self.dtype), loss_weights=None if all(
                              weight is None for weight in weights) else weights)
        set_weights(model, self)
        return model

    @property
    def is_stack(self) -> bool:
        """Whether each node is a layer of its own that reads the one before it."""
        return not self.inside and not self.more_inputs and not self.outputs and all(
            node.sources == [i - 1] and node.again is None and not node.places
            and not node.class_name.endswith("Operation") for i, node in enumerate(self.nodes))

    def rng(self, what: int) -> np.random.Generator:
        """A generator of its own for each purpose."""
        return np.random.default_rng([*self.seed, what])


def loss_of(loss, dtype: str):
    """The loss object of [class name, arguments]."""
    name, arguments = loss
    return scratch.losses.CLASSES[name](**arguments)


def optimizer_of(optimizer):
    """The optimizer object of [class name, arguments]; a schedule stands there as a dictionary."""
    name, arguments = optimizer
    return scratch.optimizers.get({"class_name": name, "config": copy.deepcopy(arguments)})


def set_weights(model, specification: Specification) -> None:
    """Random weights of widely differing scales, under which no output grows or vanishes.

    Layer after layer the kernels are scaled so that the layer's output has a root mean square
    between 0.1 and 3; variances are positive.
    """
    rng = specification.rng(1)
    values = {-1 - k: x for k, x in enumerate(each(batch_of(specification)))}
    for i, (layer, sources) in enumerate(zip(model.layers, model.sources)):
        inputs = [values[source] for source in sources]
        read = taken(layer, inputs)
        for name, weight in layer.params.items():
            drawn = rng.standard_normal(weight.shape)
            weight[...] = np.abs(drawn) + 0.1 if name.endswith("variance") else drawn
        target = 10 ** rng.uniform(-1, 0.5)
        if layer.params and not layer.non_trainable:
            scale_weights(layer, read, target)
        keep_rounded(layer, layer.params)
        values[i] = low_precision.forward(layer, read)


def scale_weights(layer, read, target: float) -> None:
    """Scale a layer's weights so that its output's root mean square is about `target`.

    An exponential of large numbers takes several tries. What comes in as an infinity, from a layer
    that has overflowed in float16, no weights make finite."""
    for _ in range(TRIES):
        made = low_precision.forward(layer, read)
        size = float(np.sqrt(np.mean(np.square(made, dtype=np.float64))))
        factor = 0.1 if not np.isfinite(size) else target / size if size > 0 else 1
        for weight in layer.params.values():
            weight *= weight.dtype.type(factor)
        if np.isfinite(size):
            break


def batch_of(specification: Specification):
    """The inputs (batch, *input_shape), of a scale drawn from the seed; class numbers where the
    first layer reads such. Of several inputs `Several`."""
    rng = specification.rng(2)
    first = _first_input(specification, rng)
    if not specification.more_inputs:
        return first
    return Several([first, *(_numbers((specification.batch, *shape), specification.dtype, rng)
                             for shape in specification.more_inputs)])


def _first_input(specification: Specification, rng: np.random.Generator) -> np.ndarray:
    shape = (specification.batch, *specification.input_shape)
    classes = classes_of(specification)
    if classes is not None:
        return rng.integers(0, classes, shape).astype(specification.dtype)
    numbers = _numbers(shape, specification.dtype, rng)
    for node in specification.nodes:
        if node.class_name == "Masking" and list(node.sources) == [-1]:
            numbers[rng.random(shape[:-1]) < 0.3] = node.arguments.get("mask_value", 0.0)
    return numbers


def _numbers(shape, dtype: str, rng: np.random.Generator) -> np.ndarray:
    return (rng.standard_normal(shape) * 10 ** rng.uniform(-1, 0.7)).astype(dtype)


def classes_of(specification: Specification) -> int | None:
    """How many classes the inputs' numbers name; None where they are any numbers."""
    first = specification.nodes[0] if specification.nodes else None
    entry = LAYERS.get(first.class_name) if first is not None else None
    if first is None or entry is None or not entry.classes:
        return None
    return int(first.arguments[entry.classes])


def output_shapes(specification: Specification, model):
    """The shape of the model's output, batch included; of several a list."""
    shapes = model.output_shape
    if specification.outputs:
        return [(specification.batch, *shape[1:]) for shape in shapes]
    return (specification.batch, *shapes[1:])


def upstream_of(specification: Specification, shapes):
    """Normal numbers in the place of a loss's gradient, for outputs of these shapes."""
    rng = specification.rng(5)
    drawn = [rng.standard_normal(shape).astype(specification.dtype)
             for shape in (shapes if specification.outputs else [shapes])]
    return Several(drawn) if specification.outputs else drawn[0]


def targets_of(specification: Specification, output_shape):
    """Labels that fit the loss, for outputs of that shape (batch included); of several outputs
    `Several`, for shapes in a list."""
    rng = specification.rng(3)
    assert specification.loss is not None  # there are labels for a loss alone
    if specification.outputs:
        return Several([None if loss is None else _targets(loss, shape, specification.dtype, rng)
                        for (_, loss, _), shape in zip(specification.outputs, output_shape)])
    return _targets(specification.loss, output_shape, specification.dtype, rng)


def _targets(loss, output_shape, dtype: str, rng: np.random.Generator) -> np.ndarray:
    name, _ = loss
    shape = tuple(output_shape)
    if name == "Circle":
        return rng.integers(0, few_classes(shape[0]), shape[:1])
    if name in LABELLED:
        return rng.integers(0, shape[-1], shape[:-1])
    if "Categorical" in name or name == "KLDivergence":
        if rng.random() < 0.7:
            return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])].astype(dtype)
        rows = rng.random(shape) + 0.05
        return (rows / rows.sum(axis=-1, keepdims=True)).astype(dtype)
    if "Binary" in name or name in ("Hinge", "SquaredHinge", "Dice", "Tversky"):
        return rng.integers(0, 2, shape).astype(dtype)
    if name in ("Poisson", "MeanSquaredLogarithmicError"):
        return rng.random(shape).astype(dtype) * 3
    return rng.standard_normal(shape).astype(dtype)


def sample_weights_of(specification: Specification, output_shape):
    """Weights (batch,), or (batch, 1, ...) where each sample has several losses; one
    of them is zero at times. None if there are to be none. Of several outputs `Several`."""
    if not specification.weighted:
        return None
    rng = specification.rng(4)
    weights = rng.uniform(0.1, 3, specification.batch)
    if rng.random() < 0.3:
        weights[0] = 0

    def shaped(shape) -> np.ndarray:
        return weights.reshape(-1, *[1] * (len(shape) - 2)).astype(specification.dtype)

    return Several(map(shaped, output_shape)) if specification.outputs else shaped(output_shape)
