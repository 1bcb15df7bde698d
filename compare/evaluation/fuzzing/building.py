"""The scratch model of a specification: a stack, a graph, models inside it, layers called again."""

import contextlib
import copy
from typing import Any

import scratch
from scratch.call_config import CAUSAL, STATES
from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config
from scratch.operations import OPERATIONS

Specified = Any  # a `Specification`, whose module imports this one


def model_of(specification: Specified):
    """The model, not compiled; a mere stack becomes a Sequential, anything else a Model.

    Raises:
        ValueError: if layers do not fit one another, or a model inside reads more than one output
            from outside.
    """
    layers = [_layer(specification, i) for i in range(len(specification.nodes))]
    # a layer that keeps its states is built for batches of one size
    size = specification.batch if any(map(keeps_states, specification.nodes)) else None
    sources = [scratch.Input(tuple(shape), size, dtype=specification.dtype)
               for shape in (specification.input_shape, *specification.more_inputs)]
    if specification.is_stack:
        return scratch.Sequential([*sources, *layers])
    whole = [0, len(layers), 1]
    made = _Part(specification, layers, whole).made_of(
        {-1 - k: source for k, source in enumerate(sources)})
    ends = [_first(made[node]) for node, *_ in specification.outputs] or _first(
        made[len(layers) - 1])
    return scratch.Model(sources if specification.more_inputs else sources[0], ends)


def keeps_states(node) -> bool:
    """Whether a node is a stateful layer, or one around it."""
    inner = node.arguments.get("layer")
    return bool((inner["config"] if isinstance(inner, dict) else node.arguments).get("stateful"))


def layer_of(class_name: str, arguments: dict):
    """A layer from its arguments, of which some are said at its call."""
    own = {key: value for key, value in arguments.items() if key != CAUSAL}
    layer = layer_from_config({"class_name": class_name, "config": own})
    if CAUSAL in arguments:
        layer.use_causal_mask = arguments[CAUSAL]
    return layer


def _layer(specification: Specified, i: int):
    """The layer of a node; None for one that calls another's again."""
    node = specification.nodes[i]
    if node.again is not None:
        return None
    settings = copy.deepcopy(node.arguments)
    if node.class_name in OPERATIONS:
        return OPERATIONS[node.class_name](**settings)
    own = settings.pop("dtype", None)  # beside a policy some may keep to float32
    if specification.policy and not any(
            settings.get(key) for key in settings if key.endswith(("_regularizer", "_constraint"))):
        with contextlib.suppress(UnsupportedError):  # then it stays in float32
            return layer_of(node.class_name, {**settings, "dtype": own or specification.policy})
    return layer_of(node.class_name, {**settings, "dtype": specification.dtype})


def shapes_of(specification: Specified) -> dict[int, tuple]:
    """The shape of a sample of each node's output, and of the input, -1."""
    shapes = {-1: tuple(specification.input_shape),
              **{-2 - k: tuple(shape) for k, shape in enumerate(specification.more_inputs)}}
    for i, node in enumerate(specification.nodes):
        layer = _layer(specification, i if node.again is None else node.again)
        read = [(specification.batch, *shapes[source]) for source in node.sources]
        made = layer.compute_output_shape(read if layer.merges else read[0])
        shapes[i] = tuple((made[0] if isinstance(made, list) else made)[1:])
    return shapes


def _first(made):
    """The first output of a node, or the only one."""
    return made[0] if isinstance(made, tuple) else made


def _read(node, made: dict) -> list:
    """What a node reads: of each source the output that it names."""
    places = node.places or [0] * len(node.sources)
    return [made[source][place] if isinstance(made[source], tuple) else made[source]
            for source, place in zip(node.sources, places, strict=True)]


class _Part:
    """The nodes from one number to another, in which there may be models of their own.

    Args:
        layers: of all nodes.
        place: [first node, the one behind the last, how often it is called].
    """

    def __init__(self, specification: Specified, layers: list, place: list[int]) -> None:
        self.specification, self.layers, self.place = specification, layers, place

    def called_on(self, source):
        """The last node's output, given what the first reads: symbolic tensors."""
        first, stop, _ = self.place
        outer = self.specification.nodes[first].sources[0]  # all that is read from outside
        return _first(self.made_of({outer: source})[stop - 1])

    def made_of(self, made: dict) -> dict:
        """The symbolic tensor of each node, given those that are read from outside."""
        first, stop, _ = self.place
        nodes = self.specification.nodes
        made = dict(made)
        i = first
        while i < stop:
            inner = self._beginning_at(i)
            if inner is not None:
                made[inner[1] - 1] = self._model(inner, _read(nodes[i], made)[0])
                i = inner[1]
                continue
            node = nodes[i]
            if any(read not in made for read in node.sources):
                raise ValueError(f"Expected node {i} to read what there is. "
                                 f"Received: {node.sources}")
            read = _read(node, made)
            layer = self.layers[i if node.again is None else node.again]
            said: dict[str, Any] = {}
            if hasattr(layer, CAUSAL):
                said[CAUSAL] = layer.use_causal_mask
            if hasattr(layer, "state_widths") and len(read) > 1:
                said[STATES] = read[1:]
            made[i] = layer(read if layer.merges and STATES not in said else read[0], **said)
            i += 1
        return made

    def _beginning_at(self, i: int) -> list[int] | None:
        """The largest place of a model inside this part that begins with node i."""
        first, stop, _ = self.place
        found = [place for place in self.specification.inside
                 if place[0] == i and place[1] <= stop and place[:2] != [first, stop]]
        return max(found, key=lambda place: place[1], default=None)

    def _model(self, place: list[int], tensor):
        """The output of a model that stands at that place, called as often as the place says."""
        size, *shape = tensor.shape
        source = scratch.Input(tuple(shape), size, dtype=self.specification.dtype)
        output = _Part(self.specification, self.layers, place).called_on(source)
        model = scratch.Model(source, output, name=f"model_{place[0]}_{place[1]}")
        for _ in range(place[2]):
            tensor = model(tensor)
        return tensor
