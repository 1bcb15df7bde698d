"""The smallest network that still fails in the same gate.

Greedy: one simplification after another is tried, the boldest first, and kept if the failure stays;
then from the start again, until none helps. Deterministic, so the same failure always shrinks to
the same network.
"""

import copy
from collections.abc import Callable, Iterator

from compare.evaluation.fuzzing.layer_grammar import LAYERS
from compare.evaluation.fuzzing.property_checks import Outcome, judge
from compare.evaluation.fuzzing.specification import Specification

LIMIT = 150  # networks judged on the way


def shrink(specification: Specification, outcome: Outcome,
           judging: Callable[[Specification], Outcome] = judge,
           limit: int = LIMIT) -> tuple[Specification, Outcome]:
    """The smallest one found, and how it fails.

    Args:
        outcome: of the specification itself: a failure.
        judging: what says whether a network still fails.
        limit: how many networks to judge at most.
    """
    tried = 0
    again = True
    while again and tried < limit:
        again = False
        for smaller in simplifications(specification):
            if not buildable(smaller):
                continue
            tried += 1
            found = judging(smaller)
            if found.gate == outcome.gate:
                specification, outcome, again = smaller, found, True
                break
            if tried >= limit:
                break
    return specification, outcome


def buildable(specification: Specification) -> bool:
    """Whether the layers that are left still fit one another."""
    try:
        specification.build()
    except (ValueError, TypeError, IndexError, KeyError):
        return False
    return True


def simplifications(specification: Specification) -> Iterator[Specification]:
    """Simpler networks, the boldest changes first."""
    for place in specification.inside:
        yield changed(specification, inside=[p for p in specification.inside if p != place])
        if place[2] > 1:
            yield changed(specification, inside=[[*p[:2], 1] if p == place else p
                                                 for p in specification.inside])
    for i in reversed(range(len(specification.nodes))):
        if len(specification.nodes) > 1:
            yield without(specification, i)
    if specification.outputs:
        yield pruned(changed(specification, outputs=[]))
        for k in range(1, len(specification.outputs)):
            yield pruned(changed(specification, outputs=[
                output for i, output in enumerate(specification.outputs) if i != k]))
    if specification.loss is not None:
        yield changed(specification, loss=None, optimizer=None, weighted=False, steps=0)
    plain = dict(policy="", dtype="float32", weighted=False, steps=0, batch=2)
    for key, value in plain.items():
        if getattr(specification, key) != value:
            yield changed(specification, **{key: value})
    if specification.optimizer not in (None, ["SGD", {"learning_rate": 0.01}]):
        yield changed(specification, optimizer=["SGD", {"learning_rate": 0.01}])
    yield from simpler_arguments(specification)
    for axis, size in enumerate(specification.input_shape):
        for less in (size // 2, size - 1):
            if 0 < less < size:
                shape = [*specification.input_shape]
                shape[axis] = less
                yield changed(specification, input_shape=shape)


def simpler_arguments(specification: Specification) -> Iterator[Specification]:
    """One argument less: a layer's, the loss's or the optimizer's."""
    for i, node in enumerate(specification.nodes):
        if node.class_name not in LAYERS or node.again is not None:
            continue  # an operation, or a layer that stands elsewhere
        needed = {argument for argument, values in LAYERS[node.class_name].arguments.items()
                  if argument in ("filters", "units", "kernel_size", "pool_size", "rate", "stddev",
                                  "activation", "target_shape", "dims")}
        for argument in node.arguments:
            if argument in needed and not (argument == "activation"
                                           and node.class_name != "Activation"):
                continue
            smaller = copy.deepcopy(specification)
            del smaller.nodes[i].arguments[argument]
            yield smaller
    for part in ("loss", "optimizer"):
        pair = getattr(specification, part)
        for argument in list(pair[1]) if pair else ():
            if argument == "from_logits":
                continue
            yield changed(specification, **{part: [
                pair[0], {k: v for k, v in pair[1].items() if k != argument}]})


def changed(specification: Specification, **values) -> Specification:
    """A copy with other values."""
    smaller = copy.deepcopy(specification)
    for key, value in values.items():
        setattr(smaller, key, value)
    return smaller


def without(specification: Specification, i: int) -> Specification:
    """A copy without one node; who read it reads what it read first. Nodes nobody reads go too."""
    smaller = copy.deepcopy(specification)
    instead = smaller.nodes[i].sources[0]
    nodes = smaller.nodes
    for node in nodes:
        node.sources = [instead if s == i else s for s in node.sources]
    ends = [node for node, *_ in smaller.outputs] or [len(nodes) - 1]
    return _kept(smaller, [instead if end == i else end for end in ends])


def pruned(specification: Specification) -> Specification:
    """A copy without nodes that nobody reads."""
    smaller = copy.deepcopy(specification)
    return _kept(smaller, [node for node, *_ in smaller.outputs] or [len(smaller.nodes) - 1])


def _kept(smaller: Specification, ends: list[int]) -> Specification:
    """What is needed for these nodes alone; the numbers count anew."""
    nodes = smaller.nodes
    used: set[int] = set()
    waiting = list(ends)
    while waiting:
        j = waiting.pop()
        if j >= 0 and j not in used:
            used.add(j)
            waiting += nodes[j].sources
    number = {j: k for k, j in enumerate(sorted(used))}
    smaller.nodes = [nodes[j] for j in sorted(used)]
    for node in smaller.nodes:
        node.sources = [number.get(s, s) for s in node.sources]
        node.again = None if node.again is None else number.get(node.again)
    smaller.outputs = [[number.get(end, end), *rest]
                       for end, (_, *rest) in zip(ends, smaller.outputs)]
    smaller.inside = [[sum(j < first for j in used), sum(j < stop for j in used), calls]
                      for first, stop, calls in smaller.inside]
    smaller.inside = [place for place in smaller.inside if place[0] < place[1]]
    return smaller
