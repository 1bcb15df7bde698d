"""Random layers that normalize, run by the oracle, by scratch, by Keras and by plain loops."""

import numpy as np

import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.scratch.support import normalizing


class Case:
    """A random layer with its weights, input and upstream gradient, all drawn from the seed."""

    def __init__(self, kind, seed, dtype, mean=None, deviation=None):
        self.kind, self.seed, self.dtype = kind, seed, np.dtype(dtype)
        self.rng = rng = np.random.default_rng(seed)
        rank = self.pick(2, 3, 4)
        batch = self.pick(1, 2, 3, 8, 40)
        self.shape = (batch, *map(int, rng.integers(1, 8, rank - 2)), int(rng.integers(1, 7)))
        self.mean = self.pick(0, 1, 100, 1e4, -3e5) if mean is None else mean
        self.deviation = self.pick(1, 30, 1e-3, 1e-12, 1e-22) if deviation is None else deviation
        self.x = self.draw(self.shape, self.deviation, self.mean)
        self.dy = self.draw(self.shape, self.pick(1, 1e-3, 1e3), self.pick(0, 0, 5))
        self.config = {"epsilon": self.pick(1e-3, 1e-7, 0.1), "center": self.pick(True, False),
                       "scale": self.pick(True, False), "dtype": dtype}
        if kind == "BatchNormalization":
            self.training = self.pick(True, True, False)
            axis = self.pick(-1, 1)
            self.config |= {"axis": axis, "momentum": self.pick(0.99, 0.5, 0.0)}
            self.weight_axes = [axis % rank]
            self.axes = [i for i in range(rank) if i != axis % rank]
        else:
            self.training = True
            self.axes = [i for i in range(1, rank) if rng.random() < 0.6] or [rank - 1]
            self.config["axis"], self.weight_axes = self.axes, self.axes
        self.layer = getattr(scratch, kind)(**self.config)
        self.layer.build((None, *self.shape[1:]))
        self.weights = {}
        for name, weight in self.layer.params.items():
            self.weights[name] = self.draw(weight.shape)
            if name == "moving_variance":
                self.weights[name] = (np.abs(self.weights[name]) * self.pick(1, 1e-6)).astype(dtype)
            weight[...] = self.weights[name]

    def pick(self, *options):
        return options[self.rng.integers(len(options))]

    def draw(self, shape, deviation=1, mean=0):
        return (mean + deviation * self.rng.standard_normal(shape)).astype(self.dtype)

    def __str__(self):
        return (f"{self.kind} seed {self.seed}, {self.dtype}, shape {self.shape}, {self.config}, "
                f"training={self.training}, mean {self.mean}, deviation {self.deviation}")

    def by_oracle(self, rounding=None, x=None, dy=None) -> dict:
        """All results as `Bounded`, moving averages as 'updated ...'."""
        rounding = rounding or Rounding.of(self.dtype)
        oracle = oracle_for(self.kind, self.config)
        oracle.training = self.training

        def lift(array):
            return array if isinstance(array, Bounded) else Bounded(array, rounding)

        y = oracle.forward(lift(self.x if x is None else x),
                           {name: lift(w) for name, w in self.weights.items()})
        dx, gradients = oracle.backward(lift(self.dy if dy is None else dy))
        return named(y, dx, gradients, oracle.updated)

    def by_scratch(self) -> dict:
        y = self.layer.forward(self.x, self.training)
        dx = self.layer.backward(self.dy)
        updated = {name: self.layer.params[name] for name in self.layer.non_trainable
                   if self.training}
        return named(y, dx, self.layer.grads, updated)

    def by_keras(self, keras) -> dict:
        import tensorflow as tf

        layer = getattr(keras.layers, self.kind)(**self.config)
        layer.build(self.shape)
        layer.set_weights([self.weights[w.name] for w in layer.weights])
        source = tf.constant(self.x)
        training = {"training": self.training} if self.kind == "BatchNormalization" else {}
        with tf.GradientTape() as tape:
            tape.watch(source)
            y = layer(source, **training)
        dx, *gradients = tape.gradient(y, [source, *layer.trainable_weights],
                                       output_gradients=tf.constant(self.dy))
        updated = {w.name: w.numpy() for w in layer.non_trainable_weights if self.training}
        return named(y.numpy(), dx.numpy(), {w.name: g.numpy() for w, g in zip(
            layer.trainable_weights, gradients)}, updated)

    def by_loops(self) -> dict:
        """What is right, from the complex loops."""
        def spread(name, default):
            weight = self.weights.get(name, np.full([self.shape[i] for i in self.weight_axes],
                                                    default))
            return np.broadcast_to(weight.astype(float).reshape(
                [n if i in self.weight_axes else 1 for i, n in enumerate(self.shape)]), self.shape)

        def given(index):
            channel = index[self.weight_axes[0]]
            return [float(self.weights[n][channel]) for n in ("moving_mean", "moving_variance")]

        y, dx, dgamma, dbeta = normalizing.normalize(
            self.x.astype(float), self.dy.astype(float), spread("gamma", 1), spread("beta", 0),
            self.axes, self.config["epsilon"], None if self.training else given)
        summed = tuple(i for i in range(len(self.shape)) if i not in self.weight_axes)
        gradients = {"gamma": dgamma.sum(axis=summed), "beta": dbeta.sum(axis=summed)}
        return named(y, dx, {name: g for name, g in gradients.items() if name in self.weights}, {})


def named(y, dx, gradients, updated) -> dict:
    return {"output": y, "input_gradient": dx,
            **{f"{name}_gradient": g for name, g in gradients.items()},
            **{f"updated {name}": w for name, w in updated.items()}}


def shares(found: dict, made: dict, what) -> dict:
    """How much of its bound each result uses, at its worst element; none may use more than all."""
    assert found.keys() == made.keys(), what
    used = {}
    for tensor, bounded in found.items():
        array = np.asarray(made[tensor], np.float64)
        assert array.shape == bounded.shape, f"{what}: {tensor}"
        error = np.abs(array - bounded.value)
        assert (error <= bounded.bound).all(), (
            f"{what}: {tensor} outside by {np.nanmax(error - bounded.bound):.3g}")
        with np.errstate(invalid="ignore", divide="ignore"):
            used[tensor] = np.nanmax(np.where(error > 0, error / bounded.bound, 0))
    return used
