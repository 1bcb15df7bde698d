"""Mistakes of operations between layers that take two tensors: which axes are multiplied and added
up, and what becomes of the gradient of a tensor that is repeated."""

import itertools
import string

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.merging import Merging, Multiply
from compare.oracle.layers.operations import Divide
from compare.oracle.layers.product_operations import Products
from compare.oracle.running_error import Bounded, bilinear

AXES, LOST, OTHER = "product-axes", "copies-not-added", "merge-other"
MOST = 150  # ways to name axes that are tried


def of_products(c) -> list[Variant]:
    """Everything about matmul, einsum, division, and tensors that are repeated."""
    if not isinstance(c.x, tuple) or not c.tensor.startswith(("output", "input_gradient")):
        return []
    found = []
    if isinstance(c.layer, Products):
        found += _of_letters(c) if c.tensor == "output" else _of_letters_back(c)
    if isinstance(c.layer, Divide) and c.tensor != "output":
        found += _of_quotients(c)
    if isinstance(c.layer, (Products, Merging)):
        found += _of_repeated(c)
    return found


def _terms(c) -> tuple[str, str, str]:
    return c.layer.letters([np.ndim(x) for x in c.x])


def _ways(term: str, shape, sizes: dict, pool: str, fixed: str) -> list[str]:
    """Other letters for a tensor's axes, as long as the axes are; `fixed` ones stay."""
    free = [i for i, letter in enumerate(term) if letter not in fixed]
    found = []
    for chosen in itertools.permutations(pool, len(free)):
        other = list(term)
        for i, letter in zip(free, chosen):
            other[i] = letter
        if all(sizes[letter] in (n, None) for letter, n in zip(other, shape)):
            found.append("".join(other))
    return found


def _named(c) -> tuple[str, str, str, dict, str]:
    """The letters of both tensors and of the output, how long each is, and those of all three."""
    a, b, y = _terms(c)
    sizes: dict[str, int] = {}
    for letter, n in zip(a + b, (*np.shape(c.x[0]), *np.shape(c.x[1]))):
        sizes[letter] = max(sizes.get(letter, 1), n)
    return a, b, y, sizes, "".join(letter for letter in a if letter in b and letter in y)


def _of_letters(c) -> list[Variant]:
    """Other axes of the factors are multiplied, or not multiplied with each other."""
    a, b, y, sizes, fixed = _named(c)
    pool = "".join(letter for letter in sizes if letter not in fixed)

    def say(identifier, detail, first, second):
        terms = first, second, y
        return inside(identifier, detail, lambda c: c.hooked(
            letters=lambda oracle, right, ranks: terms))

    found = [say(AXES, f"{first},{second}->{y} in place of {a},{b}->{y}", first, second)
             for first in _ways(a, np.shape(c.x[0]), sizes, pool, fixed)
             for second in _ways(b, np.shape(c.x[1]), sizes, pool, fixed)
             if (first, second) != (a, b) and set(y) <= set(first + second)]
    spare = next(letter for letter in string.ascii_letters if letter not in sizes)
    for letter in (letter for letter in b if letter in a):
        name, said = ("batch-mixed", "over all samples") if letter == y[0] else (
            AXES, f"over all of axis {b.index(letter)} of the second factor")
        found.append(say(name, f"the sum goes {said}", a, b.replace(letter, spare)))
    return found[:MOST]


def _of_letters_back(c) -> list[Variant]:
    """The gradient's product goes along other axes: a transpose is missing, or factors are
    exchanged."""
    a, b, y, sizes, fixed = _named(c)
    own = int(c.tensor.rpartition("_")[2]) - 1
    wanted, other = (a, b)[own], (a, b)[1 - own]
    pool = "".join(letter for letter in sizes if letter not in fixed)
    factor, shape = np.shape(c.x[1 - own]), np.shape(c.x[own])

    def product(c, terms):
        def total(d, x):
            return np.asarray(np.einsum(f"{terms[0]},{terms[1]}->{wanted}", d, x))

        return bilinear(total, c.exact(c.dy), c.exact(c.x[1 - own]))

    named = [(first, second)
             for first in _ways(y, np.shape(c.dy), sizes, pool, fixed)
             for second in _ways(other, factor, sizes, pool, fixed)
             if (first, second) != (y, other) and set(wanted) <= set(first + second)
             and tuple(sizes[letter] for letter in wanted) == shape]
    return [inside(AXES, f"{first},{second}->{wanted} in place of {y},{other}->{wanted}",
                   lambda c, terms=(first, second): c.changed(own=lambda c: product(c, terms)))
            for first, second in named[:MOST]]


def _of_quotients(c) -> list[Variant]:
    """Of a / b: other gradients than dy / b and -dy a / b^2."""
    ways = {"dy b": lambda dy, a, b: dy * b, "dy": lambda dy, a, b: dy,
            "dy / b": lambda dy, a, b: dy / b, "-dy / b": lambda dy, a, b: -(dy / b),
            "dy a / b^2": lambda dy, a, b: dy / b * (a / b),
            "-dy a / b": lambda dy, a, b: -(dy * (a / b)),
            "dy a / b": lambda dy, a, b: dy * (a / b),
            "-dy / b^2": lambda dy, a, b: -(dy / b / b), "dy / b^2": lambda dy, a, b: dy / b / b,
            "dy a": lambda dy, a, b: dy * a}
    first, second = (np.shape(x) for x in c.x)
    if first != second:
        return []
    return [inside("sign" if said == "dy a / b^2" and c.tensor.endswith("2") else OTHER, said,
                   lambda c, way=way: c.changed(own=lambda c: way(c.exact(c.dy), *map(
                       c.exact, c.x)))) for said, way in ways.items()]


def _of_repeated(c) -> list[Variant]:
    """For the gradient of a tensor that is repeated along some axes: that of one place, or sums
    along some of the axes alone, or over each factor by itself."""
    if c.tensor == "output":
        return []
    own = int(c.tensor.rpartition("_")[2]) - 1
    shape, other = np.shape(c.x[own]), np.shape(c.x[1 - own])
    if len(shape) != len(other) or len(c.x) != 2:
        return []
    last = len(shape) - (2 if isinstance(c.layer, Products) else 0)
    axes = tuple(i for i in range(1, last) if shape[i] == 1 != other[i])
    if not axes:
        return []

    def apart(c):
        """The gradients of all places, each by itself."""
        x = list(c.x)
        x[own] = np.broadcast_to(x[own], [m if i in axes else n for i, (n, m) in enumerate(
            zip(np.shape(x[own]), np.shape(x[1 - own])))])
        return c.changed(x=tuple(x))

    def at(place, gradient):
        return gradient[tuple(slice(place, place + 1 or None) if i in axes else slice(None)
                              for i in range(len(shape)))]

    found = [inside(LOST, f"the gradient of the {said} place alone",
                    lambda c, place=place: apart(c).moved(lambda g: at(place, g)))
             for said, place in (("first", 0), ("last", -1))]
    for axis in axes if len(axes) > 1 else ():
        rest = tuple(slice(1) if i in axes and i != axis else slice(None)
                     for i in range(len(shape)))
        found.append(inside(LOST, f"added up along axis {axis} alone", lambda c, axis=axis,
                            rest=rest: apart(c).then(lambda g: g.sum(
                                axis=axis, keepdims=True).rearranged(lambda a: a[rest]))))
    if isinstance(c.layer, Multiply):
        found.append(inside(LOST, "the product of the sums, not the sum of the products",
                            lambda c: c.changed(own=lambda c: _sums(c, axes, own))))
    return found


def _sums(c, axes: tuple[int, ...], own: int) -> Bounded:
    return (c.exact(c.dy).sum(axis=axes, keepdims=True)
            * c.exact(c.x[1 - own]).sum(axis=axes, keepdims=True))
