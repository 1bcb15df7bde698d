"""Batch normalization, planned."""

import numpy as np

from scratch.layers import BatchNormalization
from scratch.layers.axes import average, summed
from scratch.plans.planned import Planned, plans


@plans(BatchNormalization)
class PlannedBatchNormalization(Planned):
    """gamma * (x - mean) / deviation + beta, and moving averages that the layer itself keeps."""

    def __init__(self, layer, samples, place, workspace):
        super().__init__(layer, samples, place, workspace)
        self._normal: np.ndarray | None = None
        self._axes, self._broadcast = layer._axes, layer._broadcast

    def forward(self, x, training=False):
        layer = self.layer
        if self._normal is None:
            self._normal, self._dx = np.empty_like(x), None
            self._y = np.empty_like(x) if self.output_place is None else self.output_place
        normal, y = self._normal, self._y
        self._by_batch = training and layer.trainable
        layer.forget_statistics()
        if self._by_batch:
            # (N, H, W, C) -> (1, 1, 1, C), likewise for other shapes and another axis
            mean = average(x, self._axes)
            np.subtract(x, mean, out=normal)
            variance = average(np.square(normal, out=self._workspace_like(normal)), self._axes)
            layer.move_statistics(mean, variance)
        else:
            # (C,) -> (1, 1, 1, C)
            np.subtract(x, layer.params["moving_mean"].reshape(self._broadcast), out=normal)
            variance = layer.params["moving_variance"].reshape(self._broadcast)
        self._inverse = 1 / np.sqrt(variance + layer.epsilon)
        normal *= self._inverse
        made = normal
        if layer.scale:
            made = np.multiply(normal, layer.params["gamma"].reshape(self._broadcast), out=y)
        if layer.center:
            made = np.add(made, layer.params["beta"].reshape(self._broadcast), out=y)
        return made

    def _workspace_like(self, array: np.ndarray) -> np.ndarray:
        """Memory for numbers that are soon used up, in an array's own order."""
        order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        memory = self.workspace.array(tuple(array.shape[axis] for axis in order), array.dtype)
        return memory.transpose(np.argsort(order))

    def backward(self, dy, wants_input_gradient=True):
        layer, normal = self.layer, self._normal
        products = np.multiply(dy, normal, out=self._workspace_like(normal))
        # (N, H, W, C) -> (1, 1, 1, C), twice
        scaled, plain = summed(products, self._axes), summed(dy, self._axes)
        for name, total in (("gamma", scaled), ("beta", plain)):
            if name in self.grads:
                self.grads[name][...] = total.reshape(-1)
        if not wants_input_gradient:
            return None
        if self._dx is None:
            self._dx = (np.empty_like(normal) if self.input_gradient_place is None
                        else self.input_gradient_place)
        factor = self._inverse
        if layer.scale:
            factor = factor * layer.params["gamma"].reshape(self._broadcast)
        if not self._by_batch:
            return np.multiply(dy, factor, out=self._dx)
        count = dy.size // factor.size
        # as the layer has it: factor * (dy - plain / count - normal * (scaled / count))
        dx = np.subtract(dy, plain / count, out=self._dx)
        dx -= np.multiply(normal, scaled / count, out=products)
        return np.multiply(factor, dx, out=dx)
