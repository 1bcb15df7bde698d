"""Hypothesis strategies: image walks whose sizes differ by axis, layouts, dtypes and seeds."""

from typing import NamedTuple

from hypothesis import strategies as st

from tests.scratch.support.checks import DTYPES, LAYOUTS

seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(DTYPES)
layouts = st.tuples(*[st.sampled_from(sorted(LAYOUTS))] * 2)


class Walk(NamedTuple):
    """An image batch and the window that moves over it; pairs are (rows, columns)."""

    batch: int
    image: tuple[int, int]
    channels: int
    kernel: tuple[int, int]
    strides: tuple[int, int]
    padding: str

    @property
    def input_shape(self):
        return (self.batch, *self.image, self.channels)


@st.composite
def walks(draw, largest_image=6, largest_kernel=4):
    """Non-square images; the kernel may be larger than the image only with padding 'same'."""
    height = draw(st.integers(1, largest_image))
    width = draw(st.integers(1, largest_image).filter(lambda w: w != height))
    padding = draw(st.sampled_from(["valid", "same"]))
    limits = (height, width) if padding == "valid" else (largest_kernel, largest_kernel)
    kernel = tuple(draw(st.integers(1, min(limit, largest_kernel))) for limit in limits)
    strides = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    return Walk(draw(st.integers(2, 3)), (height, width), draw(st.integers(1, 3)), kernel, strides,
                padding)
