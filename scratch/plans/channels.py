"""The products of a depthwise convolution for batches of one size, in memory that stays the same.

The steps, their shapes and their names are those of `ChannelProducts` in `depthwise.py`.
"""

import numpy as np

from scratch.depthwise import ChannelProducts, Depthwise
from scratch.lowering import is_finite
from scratch.plans.lowered import add_up
from scratch.plans.workspace import Workspace


class PlannedChannels:
    """`ChannelProducts`, planned.

    Args:
        products: whose columns are not dilated.
        channels: C.
        samples: N, images in a batch.
        workspace: memory for what is needed only within one call.

    Attributes:
        place: the image within its padding, (N, H, W, C inner): to be filled before `multiply`.
        output: the product, (N, OH, OW, C outer).
    """

    def __init__(self, products: ChannelProducts, channels: int, samples: int, dtype,
                 workspace: Workspace):
        self.products, self._workspace = products, workspace
        self._channels, self._samples, self._dtype = channels, samples, np.dtype(dtype)
        rows, columns, tile = products.rows, products.columns, products.tile
        inner, outer = products.inner, products.outer
        width, height = products.padded_shape
        padded = np.zeros((width, channels * inner, height, samples), dtype)
        # (W, C inner, H, N) -> (N, H, W, C inner)
        self.place = padded[products.inside].transpose(3, 2, 0, 1)
        column, image, row, number = padded.strides
        # (W', C inner, H', N) -> (C, W', inner, kh, OH, N)
        self._shifted = np.ndarray(
            (channels, products.width, inner, rows.kernel, rows.outputs, samples), dtype, padded,
            strides=(inner * image, column, image, row * rows.dilation, row * rows.stride, number))
        band = np.zeros((channels, tile, outer, products.window, inner, rows.kernel), dtype)
        self._band = band.reshape(channels, 1, tile * outer, products.depth)
        self._kernels = [band[place] for place in products.diagonal]
        self._result = np.empty((columns.outputs, channels, outer, rows.outputs, samples), dtype)
        # (OW, C, outer, OH, N) -> (OW, C outer, OH, N) -> (N, OH, OW, C outer)
        self.output = self._result.reshape(columns.outputs, channels * outer, rows.outputs,
                                           samples).transpose(3, 2, 0, 1)
        long = rows.outputs * samples
        # one after the other in the workspace: the windows, then what they are multiplied to
        self._sizes = [self._shifted.size, channels * products.tiles * tile * outer * long]
        self._memory: np.ndarray | None = None

    def _bind(self) -> None:
        """Take a part of the workspace, or take it again where it has grown since."""
        memory = self._workspace.array((sum(self._sizes),), self._dtype)
        if self._memory is not None and memory.ctypes.data == self._memory.ctypes.data:
            return
        self._memory = memory
        products, channels = self.products, self._channels
        rows, outer, tile = products.rows, products.outer, products.tile
        self._lowered = memory[:self._sizes[0]].reshape(self._shifted.shape)
        step = products.step * self._lowered.strides[1]
        # (C, W', inner, kh, OH, N) -> (C, tiles, w inner kh, OH N)
        self._windows = np.ndarray(
            (channels, products.tiles, products.depth, rows.outputs * self._samples), self._dtype,
            self._lowered, strides=(self._lowered.strides[0], step, self._lowered.strides[3],
                                    self._dtype.itemsize))
        self._turned_windows = self._windows.swapaxes(2, 3)
        self._product = memory[self._sizes[0]:].reshape(channels, products.tiles, tile * outer, -1)
        # (C, tiles, t outer, OH N) -> (C, OW, outer, OH, N) -> (OW, C, outer, OH, N)
        self._columns = self._product.reshape(
            channels, products.tiles * tile, outer, rows.outputs,
            self._samples)[:, :products.columns.outputs].transpose(1, 0, 2, 3, 4)

    def _lower(self) -> None:
        self._bind()
        self._lowered[...] = self._shifted

    def multiply(self, kernel: np.ndarray) -> None:
        """The image at `place` times a kernel (kh, kw, C, inner, outer), into `output`."""
        self._lower()
        # (kh, kw, C, inner, outer) -> (C, outer, kw, inner, kh)
        kernels = kernel.transpose(2, 4, 1, 3, 0)
        for place in self._kernels:
            place[...] = kernels
        np.matmul(self._band, self._windows, out=self._product)
        if self.products.tile > 1 and not is_finite(self._product):
            self.products.multiply_by_column(self._windows, kernels, out=self._product)
        self._result[...] = self._columns

    def plan_gradient(self) -> np.ndarray:
        """Make what the kernel's gradient is computed in; the place (N, OH, OW, C outer) of dz."""
        products, channels = self.products, self._channels
        rows, outputs = products.rows, products.columns.outputs
        tile, outer = products.tile, products.outer
        self._dz = np.empty_like(self._result)
        # (C, tiles t, outer, OH, N), with zeros where the last tile is cut
        tiles = np.zeros((channels, products.tiles * tile, outer, rows.outputs, self._samples),
                         self._dtype)
        self._inside_tiles = tiles[:, :outputs].transpose(1, 0, 2, 3, 4)
        self._tiles = tiles.reshape(channels, products.tiles, tile * outer, -1)
        self._each = np.empty((channels, products.tiles, tile * outer, products.depth), self._dtype)
        self._sum = np.empty((channels, tile * outer, products.depth), self._dtype)
        banded = self._sum.reshape(channels, tile, outer, products.window, products.inner, -1)
        self._shares = [banded[place] for place in products.diagonal]
        return self._dz.reshape(outputs, channels * outer, rows.outputs,
                                self._samples).transpose(3, 2, 0, 1)

    def kernel_gradient(self, out: np.ndarray) -> None:
        """The gradient of the kernel, (kh, kw, C, inner, outer), for that of the output."""
        self._lower()
        self._inside_tiles[...] = self._dz
        np.matmul(self._tiles, self._turned_windows, out=self._each)
        np.add.reduce(self._each, axis=1, out=self._sum)
        # (kh, kw, C, inner, outer) -> (C, outer, kw, inner, kh)
        gradient = out.transpose(2, 4, 1, 3, 0)
        add_up(self._shares, gradient)
        products = self.products
        if products.tiles * products.tile > products.columns.outputs and not is_finite(gradient):
            gradient[...] = products.kernel_gradient_by_column(
                self._windows, self._tiles).reshape(gradient.shape)


class PlannedDepthwise:
    """The products of a `Depthwise`, there and back; kernels are (kh, kw, C, M).

    Args:
        depthwise: whose columns are not dilated.
        channels, samples, dtype, workspace: as for `PlannedChannels`.
    """

    def __init__(self, depthwise: Depthwise, channels: int, samples: int, dtype,
                 workspace: Workspace):
        self._back: PlannedChannels | None = None
        self._plan_back = lambda: PlannedChannels(depthwise.back, channels, samples, dtype,
                                                  workspace)
        self._forth = PlannedChannels(depthwise.forth, channels, samples, dtype, workspace)
        self.place, self.output = self._forth.place, self._forth.output
        self.plan_gradient = self._forth.plan_gradient

    @staticmethod
    def can_plan(depthwise: Depthwise) -> bool:
        """Whether the columns of the products are as they have to be."""
        return not (depthwise.forth.dilated or depthwise.back.dilated)

    def multiply(self, kernel: np.ndarray) -> None:
        """The image at `place` times the kernel, into `output`."""
        self._forth.multiply(kernel[:, :, :, np.newaxis])

    def kernel_gradient(self, out: np.ndarray) -> None:
        """The gradient of the kernel, for that of the output."""
        self._forth.kernel_gradient(out[:, :, :, np.newaxis])

    def input_gradient(self, dz: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """That of the image, (N, H, W, C), for dz (N, OH, OW, C M)."""
        if self._back is None:
            self._back = self._plan_back()
        self._back.place[...] = dz
        self._back.multiply(kernel[::-1, ::-1, :, :, np.newaxis])
        return self._back.output
