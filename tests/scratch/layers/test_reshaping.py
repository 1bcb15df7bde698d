"""Layers that move, repeat or omit numbers, against loops over single indices: exact, always."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support.cases import dtypes, layouts, seeds
from tests.scratch.support.checks import EXAMPLES, assert_exact, real, run, whole
from tests.scratch.support.pooling import FORMATS, Arrangement, arrangements


def moved(shape, targets):
    """A function (x, dy) -> (y, dx) by loops: `targets(index)` lists where a number goes in y."""
    def both(x, dy):
        y, dx = np.zeros(dy.shape), np.zeros(x.shape)
        for index in np.ndindex(*shape):
            for target in targets(index):
                y[target] = x[index]
                dx[index] += dy[target]
        return y, dx
    return both


def check(layer, shape, out, targets, dtype, layouts, seed):
    """The layer against the loops, on real numbers forward and whole ones backward, which add up.
    """
    x, dy = real(seed, shape), whole(seed + 1, out)
    y, dx, _ = run(layer, x, dy, layouts=layouts)
    expected_y, expected_dx = moved(shape, targets)(x, dy)
    assert_exact(y, expected_y, "y")
    assert_exact(dx, expected_dx, "dx")


def row_major(index, shape):
    """The number of an entry of an array of this shape, counted row by row."""
    number = 0
    for i, n in zip(index, shape, strict=True):
        number = number * n + i
    return number


shapes = st.permutations([1, 2, 3, 4, 5]).flatmap(
    lambda sizes: st.integers(0, 3).map(lambda rank: (2, *sizes[:rank])))


@EXAMPLES
@given(shapes, st.sampled_from(FORMATS), dtypes, layouts, seeds)
def test_flatten(shape, data_format, dtype, layouts, seed):
    """channels_first: as if the channels had been last."""
    def target(index):
        _, *inner = index
        sizes = list(shape[1:])
        if data_format == "channels_first" and len(shape) > 2:
            inner, sizes = [*inner[1:], inner[0]], [*sizes[1:], sizes[0]]
        return [(index[0], row_major(inner, sizes))]

    check(scratch.Flatten(data_format, dtype=dtype), shape, (2, math.prod(shape[1:])), target,
          dtype, layouts, seed)


def test_flatten_makes_a_column_of_single_numbers():
    layer = scratch.Flatten()
    layer.build((None,))
    assert layer.output_shape == (None, 1)
    assert layer.forward(np.arange(3, dtype="float32")).tolist() == [[0], [1], [2]]
    assert layer.backward(np.ones((3, 1), "float32")).shape == (3,)


@EXAMPLES
@given(st.permutations([2, 3, 4]), st.permutations([2, 2, 2, 3]), st.integers(1, 4),
       st.integers(-1, 3), dtypes, layouts, seeds)
def test_reshape(sizes, factors, cut, unknown, dtype, layouts, seed):
    """24 numbers in shapes of one to four axes, one of which may be left open."""
    full = [*factors[:cut - 1], math.prod(factors[cut - 1:])]
    target = [-1 if axis == unknown else n for axis, n in enumerate(full)]
    shape = (2, *sizes)

    def place(index):
        number, inner = row_major(index[1:], sizes), []
        for n in reversed(full):
            number, i = divmod(number, n)
            inner.insert(0, i)
        return [(index[0], *inner)]

    layer = scratch.Reshape(target, dtype=dtype)
    check(layer, shape, (2, *full), place, dtype, layouts, seed)
    assert layer.compute_output_shape((None, *sizes)) == (None, *full)
    assert layer.get_config()["target_shape"] == tuple(target)


@pytest.mark.parametrize("target, shape, named", [
    ((2, -2), (None, 4), "(2, -2)"), ((-1, -1), (None, 4), "(-1, -1)"),
    ((2, 1.5), (None, 3), "1.5"), ((3,), (None, 4), "(3,)"), ((-1, 3), (None, 4), "(-1, 3)"),
    ((0, -1), (None, 4), "(0, -1)"), ((), (None, 4), "()"),
])
def test_shapes_that_do_not_fit_are_refused(target, shape, named):
    with pytest.raises(ValueError, match="'r'.*Received: target_shape=") as error:
        scratch.Reshape(target, name="r").build(shape)
    assert named in str(error.value)


@EXAMPLES
@given(st.permutations([2, 3, 4]), st.permutations([1, 2, 3]), dtypes, layouts, seeds)
def test_permute(sizes, dims, dtype, layouts, seed):
    shape = (2, *sizes)
    check(scratch.Permute(dims, dtype=dtype), shape, (2, *[shape[axis] for axis in dims]),
          lambda index: [(index[0], *[index[axis] for axis in dims])], dtype, layouts, seed)


@pytest.mark.parametrize("dims, shape", [((0, 1), (None, 3, 4)), ((1, 3), (None, 3, 4)),
                                         ((1, 1), (None, 3, 4)), ((2, 1), (None, 3, 4, 5))])
def test_permutations_that_are_none_are_refused(dims, shape):
    with pytest.raises(ValueError, match=r"'p'.*Received: .*dims="):
        scratch.Permute(dims, name="p").build(shape)


widths = st.tuples(st.integers(0, 2), st.integers(0, 3))


@st.composite
def borders(draw):
    """(images' shape, arrangement, widths along each axis), nothing of the image cut away whole."""
    arrangement = draw(arrangements)
    rows, columns = draw(widths), draw(widths)
    height, width = draw(st.sampled_from([(6, 7), (7, 6), (6, 8)]))
    if arrangement.rank == 1:
        return (2, height, 1, 3), arrangement, (rows,)
    return (2, height, width, 3), arrangement, (rows, columns)


def resized(shape, widths, sign):
    """The images' shape with a border more (sign 1) or less (-1)."""
    sizes = list(shape)
    for axis, width in enumerate(widths, start=1):
        sizes[axis] += sign * sum(width)
    return tuple(sizes)


def shifted(arrangement, widths, shape, out, sign):
    """Where a number goes when a border is put on or off, for arrays in their own arrangement."""
    first = 1 if arrangement.data_format == "channels_last" else 2

    def target(index):
        index = list(index)
        for axis, (before, _) in enumerate(widths, start=first):
            index[axis] += sign * before
        inside = all(0 <= i < n for i, n in zip(index, out))
        return [tuple(index)] if inside else []
    return target


def check_border(make, case, sign, dtype, layouts, seed):
    images, arrangement, widths = case
    shape, out = (arrangement.given(np.empty(s)).shape
                  for s in (images, resized(images, widths, sign)))
    check(make(arrangement, widths), shape, out, shifted(arrangement, widths, shape, out, sign),
          dtype, layouts, seed)


@EXAMPLES
@given(borders(), dtypes, layouts, seeds)
def test_zero_padding(case, dtype, layouts, seed):
    def make(arrangement, widths):
        kind = getattr(scratch, f"ZeroPadding{arrangement.rank}D")
        return kind(widths if arrangement.rank == 2 else widths[0], arrangement.data_format,
                    dtype=dtype)

    check_border(make, case, 1, dtype, layouts, seed)


@EXAMPLES
@given(borders(), dtypes, layouts, seeds)
def test_cropping(case, dtype, layouts, seed):
    """Sequences have their channels last."""
    if case[1].rank == 1:
        case = (case[0], Arrangement(1, "channels_last"), case[2])

    def make(arrangement, widths):
        if arrangement.rank == 1:
            return scratch.Cropping1D(widths[0], dtype=dtype)
        return scratch.Cropping2D(widths, arrangement.data_format, dtype=dtype)

    check_border(make, case, -1, dtype, layouts, seed)


@pytest.mark.parametrize("name, argument", [("ZeroPadding2D", "padding"),
                                            ("Cropping2D", "cropping")])
def test_every_form_of_a_border(name, argument):
    make = getattr(scratch, name)
    for given_, widths in [(2, ((2, 2), (2, 2))), ((1, 3), ((1, 1), (3, 3))),
                           ([1, 0], ((1, 1), (0, 0))), (((1, 2), (3, 0)), ((1, 2), (3, 0))),
                           ([[0, 1], 2], ((0, 1), (2, 2)))]:
        assert make(given_).get_config()[argument] == widths
    for bad in (-1, (1,), (1, 2, 3), ((1, 2), (3, -4)), ((1, 2, 3), (4, 5)), "1", 1.5, None):
        with pytest.raises(ValueError, match=f"'b'.*Received: {argument}="):
            make(bad, name="b")
    make = getattr(scratch, name.replace("2D", "1D"))
    assert make(3).get_config()[argument] == (3, 3)
    assert make((1, 0)).get_config()[argument] == (1, 0)
    for bad in (-1, (1,), (1, 2, 3), ((1, 2), (3, 4)), "1", 1.5):
        with pytest.raises(ValueError, match=f"'b'.*Received: {argument}="):
            make(bad, name="b")


def test_defaults_are_keras():
    assert scratch.ZeroPadding2D().get_config()["padding"] == ((1, 1), (1, 1))
    assert scratch.ZeroPadding1D().get_config()["padding"] == (1, 1)
    assert scratch.Cropping2D().get_config()["cropping"] == ((0, 0), (0, 0))
    assert scratch.Cropping1D().get_config()["cropping"] == (1, 1)
    assert scratch.UpSampling2D().get_config()["size"] == (2, 2)
    assert scratch.UpSampling1D().get_config()["size"] == 2


@pytest.mark.parametrize("make, shape", [
    (lambda: scratch.Cropping2D((2, 0), name="b"), (None, 4, 5, 3)),
    (lambda: scratch.Cropping2D(((0, 0), (3, 3)), name="b"), (None, 4, 5, 3)),
    (lambda: scratch.Cropping2D((0, 2), "channels_first", name="b"), (None, 5, 6, 4)),
    (lambda: scratch.Cropping1D((2, 3), name="b"), (None, 5, 6)),
    (lambda: scratch.Cropping1D(name="b"), (None, 5, 6, 7)),
    (lambda: scratch.ZeroPadding1D(name="b"), (None, 5, 6, 7)),
    (lambda: scratch.ZeroPadding2D(name="b"), (None, 5, 6)),
    (lambda: scratch.ZeroPadding2D(name="b"), (None, None, 6, 2)),
    (lambda: scratch.UpSampling1D(name="b"), (None, 5)),
    (lambda: scratch.UpSampling2D(name="b"), (None, 5, 6)),
])
def test_inputs_that_do_not_fit_are_refused(make, shape):
    with pytest.raises(ValueError, match="'b'.*Received: .*input_shape="):
        make().build(shape)


@EXAMPLES
@given(arrangements, st.tuples(st.integers(1, 3), st.integers(1, 3)), dtypes, layouts, seeds)
def test_up_sampling(arrangement, size, dtype, layouts, seed):
    """Its gradient sums whole numbers: exact in any order."""
    if arrangement.rank == 1:
        arrangement, size = Arrangement(1, "channels_last"), (size[0], 1)
        layer = scratch.UpSampling1D(size[0], dtype=dtype)
    else:
        layer = scratch.UpSampling2D(size, arrangement.data_format, dtype=dtype)
    first = 1 if arrangement.data_format == "channels_last" else 2
    images = (2, 3, 4 if arrangement.rank == 2 else 1, 2)
    larger = (2, 3 * size[0], images[2] * size[1], 2)
    shape, out = (arrangement.given(np.empty(s)).shape for s in (images, larger))

    def targets(index):
        copies = [range(index[axis] * size[axis - first], (index[axis] + 1) * size[axis - first])
                  if first <= axis < first + arrangement.rank else [index[axis]]
                  for axis in range(len(index))]
        return list(itertools.product(*copies))

    check(layer, shape, out, targets, dtype, layouts, seed)


@pytest.mark.parametrize("make, error, named", [
    (lambda: scratch.UpSampling1D(0, name="up"), ValueError, "size=0"),
    (lambda: scratch.UpSampling1D((2,), name="up"), TypeError, r"size=\(2,\) of type tuple"),
    (lambda: scratch.UpSampling1D(True, name="up"), TypeError, "size=True of type bool"),
    (lambda: scratch.UpSampling2D((2, 0), name="up"), ValueError, "size=0"),
    (lambda: scratch.UpSampling2D(2, interpolation="cubic", name="up"), ValueError, "='cubic'"),
    (lambda: scratch.UpSampling2D(data_format="last", name="up"), ValueError, "='last'"),
    (lambda: scratch.Cropping2D(data_format="last", name="up"), ValueError, "='last'"),
    (lambda: scratch.ZeroPadding1D(data_format="last", name="up"), ValueError, "='last'"),
    (lambda: scratch.Flatten(data_format="last", name="up"), ValueError, "='last'"),
])
def test_bad_arguments_are_refused(make, error, named):
    with pytest.raises(error, match=f"'up'.*Received: .*{named}"):
        make()
