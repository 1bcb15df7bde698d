"""Faults of pooling and of normalization, each with its name."""

import numpy as np

import scratch
from tests.compare.support import mistakes
from tests.compare.support.faulty import DX, OUT, Avg, Fault, Max, altered


def poolings():
    strided = dict(strides=(2, 1), padding="same")
    yield Fault("pool-ties", lambda: mistakes.LastMaximum((3, 2), **strided), (7, 6, 2), DX)
    yield Fault("pool-ties", lambda: mistakes.SharesTies((3, 2), **strided), (7, 6, 2), DX)
    yield Fault("pool-average-padding", lambda: altered(Avg, OUT, lambda s, y: whole_means(s))(
        (3, 2), **strided), (7, 6, 2))
    yield Fault("padding-value", lambda: mistakes.PadsWithZero((3, 2), **strided), (7, 6, 2))
    yield Fault("pool-kind", lambda: MeanForMax((3, 2)), (7, 6, 2))
    yield Fault("pool-kind", lambda: mistakes.Averages((3, 2)), (7, 6, 2))
    yield Fault("pool-kind", lambda: altered(
        scratch.GlobalMaxPooling2D, OUT, lambda s, y: s.seen_x.mean(axis=(1, 2)))(), (7, 6, 2))
    yield Fault("overlap-overwritten", lambda: mistakes.PoolOverwrites((3, 2), **strided),
                (7, 6, 2), DX)
    yield Fault("pool-ties", lambda: FirstOfAll(), (7, 6, 2), DX)


def whole_means(layer):
    """Means over windows of a 'same' pooling, divided by the pool's area."""
    x, (kh, kw) = layer.seen_x, layer.pool_size
    y = np.zeros((len(x), *layer.output_shape[1:]))
    for i, j, pixels in mistakes.walk(layer, x):
        y[:, i, j] = sum(x[:, row, column] for _, _, row, column in pixels) / (kh * kw)
    return y


class MeanForMax(Max):
    """Takes the mean."""

    def forward(self, x, training=False):
        y = super().forward(x, training)
        inner = Avg(self.pool_size, self.strides, self.padding)
        inner.build(x.shape)
        return inner.forward(x).astype(y.dtype)


class FirstOfAll(scratch.GlobalMaxPooling2D):
    """Gives all of a channel's gradient to its first maximum."""

    def backward(self, dy, wants_input_gradient=True):
        x = self._x
        flat = np.moveaxis(x, 3, 1).reshape(len(x), x.shape[3], -1)
        dx = np.zeros_like(flat)
        np.put_along_axis(dx, flat.argmax(axis=2)[..., None], dy[..., None], axis=2)
        return np.moveaxis(dx.reshape(len(x), x.shape[3], *x.shape[1:3]), 1, 3)


def normalizations():
    batch, layer = scratch.BatchNormalization, scratch.LayerNormalization

    def with_epsilon(base, epsilon):
        class Other(base):
            def forward(self, x, training=False):
                kept, self.epsilon = self.epsilon, epsilon
                try:
                    return super().forward(x, training)
                finally:
                    self.epsilon = kept

        return Other

    yield Fault("epsilon", lambda: with_epsilon(batch, 1e-5)(), (5, 3), said="1e-05")
    yield Fault("epsilon", lambda: with_epsilon(layer, 0.0)(), (5, 4), said="0 in")
    yield Fault("epsilon", lambda: with_epsilon(batch, 0.0234)(), (5, 3), said="0.0234")
    yield Fault("epsilon", lambda: altered(layer, OUT, lambda s, y: outside_root(s))(), (5, 4),
                said="outside")
    yield Fault("gamma-missing", lambda: altered(batch, OUT, lambda s, y: (
        s._normal + s.params["beta"]))(), (5, 3))
    yield Fault("bias-missing", lambda: altered(batch, OUT, lambda s, y: y - s.params["beta"])(),
                (5, 3))
    yield Fault("moving-statistics", lambda: ByAverages(), (5, 3), said="moving averages")
    yield Fault("moving-statistics", lambda: Constant(), (5, 3), DX, said="constant")
    yield Fault("moving-statistics", lambda: Moves(swap=True), (5, 3), "moving_mean_updated",
                said="exchanged")
    yield Fault("moving-statistics", lambda: Moves(unbiased=True), (5, 3),
                "moving_variance_updated", said="unbiased")
    yield Fault("moving-statistics", lambda: BatchAtInference(), (5, 3),
                options=dict(training=False), said="batch")
    yield Fault("normalization-axes", lambda: altered(layer, OUT, lambda s, y: along_steps(s))(),
                (4, 4), said="axis 1")


def outside_root(layer):
    x = layer.seen_x.astype(np.float64)
    normal = (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + layer.epsilon)
    return normal * layer.params["gamma"] + layer.params["beta"]


def along_steps(layer):
    x = layer.seen_x.astype(np.float64)
    normal = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + layer.epsilon)
    return (normal * layer.params["gamma"].reshape(1, -1, 1)
            + layer.params["beta"].reshape(1, -1, 1))


class ByAverages(scratch.BatchNormalization):
    """Uses the moving averages in training."""

    def forward(self, x, training=False):
        return super().forward(x, training=False)


class BatchAtInference(scratch.BatchNormalization):
    """Uses the batch's moments at inference."""

    def forward(self, x, training=False):
        return super().forward(x, training=True)


class Constant(scratch.BatchNormalization):
    """Takes mean and variance for constants on the way back."""

    def backward(self, dy, wants_input_gradient=True):
        super().backward(dy, wants_input_gradient)
        return dy * self._inverse * self.params["gamma"].reshape(self._broadcast)


class Moves(scratch.BatchNormalization):
    """Moving averages with the momentum's other convention, or of the unbiased variance."""

    def __init__(self, swap=False, unbiased=False, **settings):
        super().__init__(**settings)
        self.swap, self.unbiased = swap, unbiased

    def forward(self, x, training=False):
        self.count = x.size // x.shape[-1]
        return super().forward(x, training)

    def _move(self, name, batch):
        moving, momentum = self.params[name], self.momentum
        if self.unbiased and name == "moving_variance":
            batch = batch * np.float32(self.count / (self.count - 1))
        keep, take = (1 - momentum, momentum) if self.swap else (momentum, 1 - momentum)
        moving[...] = moving * keep + batch.reshape(-1) * take


FAULTS = [*poolings(), *normalizations()]
