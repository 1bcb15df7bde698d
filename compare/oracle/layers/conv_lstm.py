"""Oracles of convolutional LSTMs: the LSTM's, on rows of numbers.

A row belongs to a pixel of the output. In it stands all that the pixel's windows cover, in the
input and in the state before; a convolution is then a product of matrices, of which every element
is one sum of products in any order. So is what comes back to a pixel from all windows that cover
it, which `spread` adds up.
"""

import math
from typing import Any

import numpy as np

from compare.oracle.base import judges
from compare.oracle.correlation import spread
from compare.oracle.data_format import Layout
from compare.oracle.layers.recurrent import LSTM
from compare.oracle.running_error import Bounded, bilinear
from compare.oracle.windows import Walk
from compare.tracing.types import Config


def covered(walk: Walk, image: np.ndarray) -> np.ndarray:
    """What the windows of each output pixel hold, (N, *outputs, window, C); 0 beyond the border."""
    return np.moveaxis(walk.stack(image, 0.0), 0, -2)


@judges("ConvLSTM2D")
class ConvLSTM2D(LSTM):
    """c = f c' + i g, h = o a(c), each gate of its own channels of x * K + h' * R + b."""

    rank = 2
    operation = "a recurrence over steps, of convolutions"
    outputs = ("filters",)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.layout = Layout(self.rank, config.get("data_format", "channels_last"))

    def _walks(self, sizes: tuple[int, ...]) -> tuple[Walk, Walk]:
        """(over the input's images, over the states)."""
        lay, config = self.layout, self.config
        kernel, strides, dilation = (lay.per_axis(config.get(name, (1,) * self.rank)) for name in (
            "kernel_size", "strides", "dilation_rate"))
        walk = Walk(sizes, kernel, strides, config["padding"], dilation)
        return walk, Walk(tuple(walk.outputs), kernel, (1,) * len(kernel), "same")

    def _images(self, array: np.ndarray) -> np.ndarray:
        """(N, T, ...) as the layer has it -> (N T, H, W, C)."""
        return self.layout.image(array.reshape(-1, *array.shape[2:]))

    def _rows(self, images: np.ndarray, walk: Walk) -> np.ndarray:
        """(N T, H, W, C) -> (N OH OW, T, all that a window covers)."""
        held = covered(walk, images).reshape(self.samples, -1, math.prod(walk.outputs),
                                             math.prod(walk.kernel) * images.shape[-1])
        return held.swapaxes(1, 2).reshape(-1, held.shape[1], held.shape[-1])

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        lay = self.layout
        self.samples, self.input_shape = x.shape[0], x.shape
        shape = self._images(x.value).shape
        self.walk, self.walk_of_states = self._walks(shape[1:-1])
        self.kernels = [weights[name].rearranged(lay.kernel)
                        for name in ("kernel", "recurrent_kernel")]
        rows = x.rearranged(lambda a: self._rows(self._images(a), self.walk))
        flat = {name: weights[name].reshape(-1, 4 * self.units)
                for name in ("kernel", "recurrent_kernel")}
        self.shapes = {name: weights[name].shape for name in flat}
        y = super().forward(rows, {**weights, **flat})
        return y.rearranged(self._from_rows)

    def _from_rows(self, rows: np.ndarray) -> np.ndarray:
        """(N OH OW, T, F) -> (N, T, OH, OW, F) as the layer has it; (N OH OW, F) likewise."""
        outputs = self.walk.outputs
        images = rows.reshape(self.samples, math.prod(outputs), -1, self.units).swapaxes(1, 2)
        given = self.layout.given(images.reshape(-1, *outputs, self.units))
        return given.reshape(self.samples, -1, *given.shape[1:]) if rows.ndim == 3 else given

    def _to_rows(self, dy: np.ndarray) -> np.ndarray:
        """The other way round."""
        if not self.config.get("return_sequences"):
            return self.layout.image(dy).reshape(-1, self.units)
        images = self._images(dy).reshape(self.samples, -1, math.prod(self.walk.outputs),
                                          self.units)
        return images.swapaxes(1, 2).reshape(-1, images.shape[1], self.units)

    def seen(self, state: Bounded) -> Bounded:
        walk = self.walk_of_states

        def rows(a: np.ndarray) -> np.ndarray:
            image = a.reshape(self.samples, *walk.outputs, self.units)
            return covered(walk, image).reshape(len(a), -1)

        return state.rearranged(rows)

    def _spread(self, walk: Walk, dz: Bounded, kernel: Bounded) -> Bounded:
        return bilinear(lambda d, k: spread(walk, d, k),
                        dz.reshape(self.samples, *walk.outputs, -1), kernel)

    def given_back(self, dz: Bounded) -> Bounded:
        return self._spread(self.walk, dz, self.kernels[0])

    def state_sent_back(self, dz: Bounded, terms: list[Bounded] | None = None,
                        gates: int | None = None) -> Bounded:
        return self._spread(self.walk_of_states, dz, self.kernels[1]).reshape(-1, self.units)

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        dx, gradients = super().backward(dy.rearranged(self._to_rows))
        image = (-1, *self.walk.size, self.kernels[0].shape[-2])

        def given(a: np.ndarray) -> np.ndarray:  # (N, T, H W C)
            return self.layout.given(a.reshape(image)).reshape(self.input_shape)

        for name, shape in self.shapes.items():
            gradients[name] = gradients[name].reshape(shape)
        return dx.rearranged(given), gradients

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        samples, steps, *step = input_shape
        *sizes, channels = self.layout.image_shape((samples, *step))[1:]
        walk, _ = self._walks(tuple(sizes))
        window, pixels = math.prod(walk.kernel), math.prod(walk.outputs)
        back = 4 * self.units * window
        return {"output": steps * (window * (channels + self.units) + 1),
                "input_gradient": steps * back,
                **{f"{name}_gradient": samples * steps * pixels * (1 + steps)
                   for name in ("kernel", "recurrent_kernel", "bias")}}


@judges("ConvLSTM1D")
class ConvLSTM1D(ConvLSTM2D):
    """The same along one axis."""

    rank = 1


@judges("ConvLSTM3D")
class ConvLSTM3D(ConvLSTM2D):
    """The same along three axes."""

    rank = 3
