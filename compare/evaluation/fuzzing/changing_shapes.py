"""Operations that change shapes, put before the Flatten of some of the networks.

They are drawn from random numbers of their own: whatever else a network has is the same with and
without them.
"""

import copy
import math

import numpy as np

from compare.evaluation.fuzzing.building import shapes_of
from compare.evaluation.fuzzing.specification import Node, Specification, classes_of
from compare.evaluation.fuzzing.structure import makes_whole_numbers
from scratch.operations import OPERATIONS

OFTEN = 0.35  # of the networks that have a Flatten behind which nothing depends on the shape
LONGEST = 3  # operations, or pairs of them, one after the other
LARGEST = 800  # numbers in a sample
DEEPEST = 4  # axes of a sample
REDUCTIONS = ("Mean", "Sum", "Max", "Min", "Var")
TRIES = 8


def reshaped(specification: Specification, rng: np.random.Generator) -> Specification:
    """The network as it was, or with some operations that change shapes."""
    if rng.random() >= OFTEN:
        return specification
    places = [i for i in range(len(specification.nodes)) if _stands_free(specification, i)]
    if not places:
        return specification
    made = copy.deepcopy(specification)
    place = int(rng.choice(places))
    source = made.nodes[place].sources[0]
    nodes = Chain(shapes_of(made)[source], rng).drawn(place, source)
    _put_before(made, place, nodes)
    return made


def _stands_free(specification: Specification, i: int) -> bool:
    """Whether node i is a Flatten that may read what has any shape."""
    node = specification.nodes[i]
    if node.class_name != "Flatten" or node.again is not None or node.places:
        return False
    source = node.sources[0]
    if not _may_grow(specification, i) or source < -1:
        return False
    if source == -1:
        return classes_of(specification) is None
    inside = any(first < i < stop for first, stop, _ in specification.inside)
    return not inside and not makes_whole_numbers(specification.nodes[source])


def _may_grow(specification: Specification, i: int) -> bool:
    """Whether nothing before a dense layer meets what node i puts out with something else."""
    reached = {i}
    for j, node in enumerate(specification.nodes):
        if reached & set(node.sources) and node.class_name != "Dense":
            if not reached >= set(node.sources):
                return False
            reached.add(j)
    return True


def _put_before(specification: Specification, place: int, nodes: list[Node]) -> None:
    """Put nodes before one, which alone reads the last of them."""
    count = len(nodes)
    for node in specification.nodes[place:]:
        node.sources = [n + count if n >= place else n for n in node.sources]
        if node.again is not None and node.again >= place:
            node.again += count
    specification.nodes[place].sources = [place + count - 1]
    specification.nodes[place:place] = nodes
    for limits in specification.inside:
        limits[:2] = [n + count * (n >= place + (k == 1)) for k, n in enumerate(limits[:2])]
    for output in specification.outputs:
        output[0] += count * (output[0] >= place)


class Chain:
    """Operations one after the other, on a sample of some shape."""

    def __init__(self, shape: tuple, rng: np.random.Generator):
        self.rng = rng
        self.shapes = [tuple(int(n) for n in shape)]
        self.nodes: list[tuple[str, dict, list[int]]] = []  # sources count from 0, what is read

    def drawn(self, place: int, source: int) -> list[Node]:
        """The nodes as they will stand from `place` on, the first of which reads `source`."""
        for _ in range(int(self.rng.integers(1, LONGEST + 1))):
            for _ in range(TRIES):
                kept = len(self.nodes)
                if self._one() and self._fits(kept):
                    break
                del self.nodes[kept:], self.shapes[kept + 1:]
        if not self.nodes:  # there is always a way to reshape
            self._put("Reshape", newshape=[-1, math.prod(self.shapes[0])])
        return [Node(name, arguments, [source if n == 0 else place + n - 1 for n in sources])
                for name, arguments, sources in self.nodes]

    def _fits(self, kept: int) -> bool:
        return len(self.nodes) > kept and all(
            1 <= len(shape) <= DEEPEST and 0 < math.prod(shape) <= LARGEST
            for shape in self.shapes[kept + 1:])

    @property
    def shape(self) -> tuple:
        return self.shapes[-1]

    def _put(self, kind: str, sources: list[int] | None = None, **arguments) -> int:
        """An operation on what came last, or on those; its number."""
        reads = [len(self.nodes)] if sources is None else sources
        name = f"{kind}Operation"
        if len(reads) > 1:
            arguments = {**arguments, "operands": [None] * len(reads)}
        layer = OPERATIONS[name](**copy.deepcopy(arguments))
        given = [(None, *self.shapes[n]) for n in reads]
        made = layer.compute_output_shape(given if layer.merges else given[0])
        self.nodes.append((name, arguments, reads))
        self.shapes.append(tuple(int(n) for n in made[1:]))
        return len(self.nodes)

    def _one(self) -> bool:
        """One operation more, or a few that belong together; False where the shape does not suit.
        """
        ways = (self._order, self._axis, self._part, self._parts, self._border, self._movement,
                self._copies, self._pixels, self._reduction, self._product, self._stack,
                self._repeated, self._numbers)
        return ways[self.rng.integers(len(ways))]()

    def _any_axis(self) -> int:
        """Of the input, the batch's 0 aside, counted from either end."""
        rank = len(self.shape) + 1
        axis = int(self.rng.integers(1, rank))
        return axis if self.rng.random() < 0.5 else axis - rank

    def _length(self, axis: int) -> int:
        return self.shape[axis - 1 if axis > 0 else axis]

    def _order(self) -> bool:
        rank = len(self.shape) + 1
        if rank < 3:
            return False
        axes = [0, *(int(n) for n in self.rng.permutation(np.arange(1, rank)))]
        one, other = (int(n) for n in self.rng.choice(np.arange(1, rank), 2, replace=False))
        kind = self.rng.integers(3)
        if kind == 0:
            self._put("Transpose", axes=axes)
        elif kind == 1:
            self._put("Swapaxes", axis1=one, axis2=other)
        else:
            self._put("Moveaxis", source=one, destination=other - rank)
        return True

    def _axis(self) -> bool:
        single = [i + 1 for i, n in enumerate(self.shape) if n == 1]
        if single and len(self.shape) > 1:
            self._put("Squeeze", axis=int(self.rng.choice(single)))
        else:
            self._put("ExpandDims", axis=self._any_axis())
        return True

    def _part(self) -> bool:
        axis = self._any_axis()
        size = self._length(axis)
        if size < 2:
            return False
        if len(self.shape) > 1 and self.rng.random() < 0.5:
            self._put("Unstack", axis=axis, place=int(self.rng.integers(size)))
            return True
        start, step = int(self.rng.integers(size - 1)), int(self.rng.choice([1, 2, -1]))
        limits = {"start": None if step < 0 else start, "stop": None, "step": step}
        whole = {"start": None, "stop": None, "step": None}
        front = axis if axis > 0 else axis + len(self.shape) + 1
        self._put("GetItem", key=[{"class_name": "__slice__", "config": each}
                                  for each in (*[whole] * front, limits)])
        return True

    def _parts(self) -> bool:
        """An axis cut in two, its parts joined the other way round, or one of them alone."""
        axis, reads = self._any_axis(), len(self.nodes)
        size = self._length(axis)
        if size < 2:
            return False
        cut = 2 if size % 2 == 0 and self.rng.random() < 0.5 else [int(self.rng.integers(1, size))]
        if self.rng.random() < 0.5:
            self._put("Split", indices_or_sections=cut, axis=axis, place=int(self.rng.integers(2)))
            return True
        parts = [self._put("Split", [reads], indices_or_sections=cut, axis=axis, place=k)
                 for k in (0, 1)]
        self._put("Concatenate", parts[::-1], axis=axis)
        return True

    def _border(self) -> bool:
        mode = str(self.rng.choice(["constant", "reflect", "symmetric"]))
        widths = [[0, 0]]
        for size in self.shape:
            most = min(2, size - 1 if mode == "reflect" else size)
            widths.append([int(n) for n in self.rng.integers(0, most + 1, 2)])
        value = 0.5 if mode == "constant" and self.rng.random() < 0.5 else None
        self._put("Pad", pad_width=widths, mode=mode, constant_values=value)
        return True

    def _movement(self) -> bool:
        axis = self._any_axis()
        if self.rng.random() < 0.5:
            self._put("Flip", axis=axis)
        else:
            self._put("Roll", shift=[int(self.rng.integers(-3, 4))], axis=[axis])
        return True

    def _copies(self) -> bool:
        times = int(self.rng.integers(2, 4))
        if self.rng.random() < 0.5:
            self._put("Repeat", repeats=times, axis=self._any_axis())
        else:
            repeats = [1] * (len(self.shape) + 1)
            repeats[self.rng.integers(1, len(repeats))] = times
            self._put("Tile", repeats=repeats)
        return True

    def _pixels(self) -> bool:
        if len(self.shape) != 3:
            return False
        rows, columns, channels = self.shape
        kind = self.rng.integers(3)
        if kind == 0 and channels % 4 == 0:
            self._put("DepthToSpace", block_size=2)
        elif kind == 1 and rows % 2 == columns % 2 == 0:
            self._put("SpaceToDepth", block_size=2)
        elif min(rows, columns) > 1:
            size, strides = ([int(n) for n in self.rng.integers(1, 3, 2)] for _ in range(2))
            # `strided_pointwise_gradient`: Keras cuts patches out by a convolution
            self._put("ExtractPatches", size=[2, 1] if max(size) == 1 else size, strides=strides)
        else:
            return False
        return True

    def _reduction(self) -> bool:
        rank = len(self.shape) + 1
        keeps = rank == 2 or self.rng.random() < 0.5
        most = rank - 1 if keeps else rank - 2
        count = int(self.rng.integers(1, most + 1))
        axes = [int(n) for n in self.rng.choice(np.arange(1, rank), count, replace=False)]
        self._put(REDUCTIONS[self.rng.integers(len(REDUCTIONS))],
                  axis=axes if count > 1 else axes[0], keepdims=bool(keeps))
        return True

    def _product(self) -> bool:
        """A tensor times its own transpose, by a matrix product or an einsum."""
        rank, reads = len(self.shape) + 1, len(self.nodes)
        if not 3 <= rank <= DEEPEST + 1:
            return False
        if self.rng.random() < 0.5:
            axes = [*range(rank - 2), rank - 1, rank - 2]
            turned = self._put("Transpose", axes=axes)
            self._put("Matmul", [reads, turned] if self.rng.random() < 0.5 else [turned, reads])
            return True
        front = "nhw"[:rank - 2]
        made = str(self.rng.choice(["pq", "qp", "q"]))
        self._put("Einsum", [reads, reads], subscripts=f"{front}pc,{front}qc->{front}{made}")
        return True

    def _stack(self) -> bool:
        """A tensor beside itself turned around."""
        reads = len(self.nodes)
        turned = self._put("Flip", axis=self._any_axis())
        both = [reads, turned] if self.rng.random() < 0.5 else [turned, reads]
        axis = int(self.rng.integers(1, len(self.shape) + 2))
        self._put("Stack", both, axis=axis - (len(self.shape) + 2) * int(self.rng.random() < 0.5))
        return True

    def _repeated(self) -> bool:
        """A tensor and its mean along some axes, which is repeated; not added where it is one
        number a sample (`bias_along_width`)."""
        reads, rank = len(self.nodes), len(self.shape) + 1
        count = int(self.rng.integers(1, rank))
        axes = [int(n) for n in self.rng.choice(np.arange(1, rank), count, replace=False)]
        mean = self._put("Mean", axis=axes, keepdims=True)
        kind = str(self.rng.choice(["Subtract", "Multiply", "Maximum", "Add"][:4 - (
            math.prod(self.shape) == 1)]))
        self._put(kind, [reads, mean] if self.rng.random() < 0.5 else [mean, reads])
        return True

    def _numbers(self) -> bool:
        """The same numbers in another shape."""
        shape = self.shape
        i = int(self.rng.integers(len(shape)))
        if len(shape) > 1 and self.rng.random() < 0.6:
            i = min(i, len(shape) - 2)
            self._put("Reshape", newshape=[-1, *shape[:i], shape[i] * shape[i + 1], *shape[i + 2:]])
            return True
        factor = next((n for n in (2, 3, 5) if shape[i] % n == 0 and shape[i] > n), None)
        if factor is None:
            return False
        self._put("Reshape", newshape=[-1, *shape[:i], factor, shape[i] // factor, *shape[i + 1:]])
        return True
