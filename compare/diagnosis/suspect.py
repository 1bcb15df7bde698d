"""A failing tensor, and all that is known of how it came about; and numbers to run it on again."""

import functools
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import scratch
from compare.diagnosis.computation import LayerComputation
from compare.diagnosis.observation import CANNOT, Observation
from compare.oracle.base import Oracle
from compare.oracle.layers.augmentation import EvenlyDrawn
from compare.oracle.layers.noise import GaussianDropout, GaussianNoise
from compare.oracle.registry import LAYERS, oracle_for
from compare.oracle.running_error import Rounding
from compare.tracing.layer_error import RAISED

BATCHES = {"normal": 3, "integers": 4}  # two sizes, so that no factor is taken for 1/N by chance
LARGEST = 3  # of whole numbers: small, so that values tie
WIDER = (2, 4)  # times as large inputs, where nothing shows on those: some limits lie further out
NUMBERS = 60_000  # of an input; what is larger is cut to fewer samples


@dataclass
class Suspect:
    """One tensor of one layer that is not what it should be.

    Attributes:
        layer, tensor, class_name, config, part: which, as in a trace.
        x, dy, weights: the numbers on which it failed, or any others of the right shapes; a random
            layer's noise is among the weights. dy may be None.
        runner: computes it anew from other numbers; None where only `made` is known.
        made: what came of these very numbers, where it cannot be run.
        side: 'candidate' or 'reference'.
        training, context: see `LayerComputation`.
        exactly: whether x, dy and weights are whole numbers, of which nothing is rounded.
        slack: how far what went in and how `made` was stored may have led it away; None for not.
    """

    layer: str
    tensor: str
    class_name: str
    config: dict
    part: str
    x: Any
    dy: Any
    weights: dict[str, np.ndarray]
    runner: Any = None
    made: np.ndarray | None = None
    side: str = "candidate"
    training: bool = True
    context: dict = field(default_factory=dict)
    exactly: bool = False
    slack: np.ndarray | None = None

    @property
    def inputs(self) -> tuple:
        return self.x if isinstance(self.x, tuple) else (self.x,)

    @property
    def rounding(self) -> Rounding:
        return Rounding.of(self.inputs[0].dtype)

    def _oracle(self) -> Oracle:
        return oracle_for(self.class_name, self.config, self.part)

    def computation(self, x, dy, weights) -> LayerComputation:
        """The right computation on these numbers."""
        return LayerComputation(self.rounding, class_name=self.class_name, config=self.config,
                                part=self.part, tensor=self.tensor, x=x, dy=dy, weights=weights,
                                training=self.training, context=self.context)

    def drawn(self, shapes, kind: str, seed: int = 0, times: int = 1) -> LayerComputation:
        """The right computation on numbers drawn for the purpose: 'normal' or 'integers', the
        input so many times as large."""
        rng = np.random.default_rng(seed)
        dtype = self.inputs[0].dtype

        def numbers(shape):
            if kind == "integers":
                return rng.integers(-LARGEST, LARGEST, shape, endpoint=True).astype(dtype)
            return rng.standard_normal(shape).astype(dtype)

        x = tuple(numbers(shape) * dtype.type(times) for shape in shapes)
        state = getattr(scratch.layers.LAYERS.get(self.class_name), "non_trainable", ())
        weights = {name: np.abs(numbers(w.shape)) + w.dtype.type(0.5) if name in state
                   else numbers(w.shape) for name, w in self.weights.items() if name != "noise"}
        if kind == "integers":
            weights = self._oracle().admitted_weights(weights)
        if "noise" in self.weights:
            weights["noise"] = self._noise(rng, len(x[0]), numbers)
        c = self.computation(self._admitted(x), None, weights)
        output = replace(c, tensor="output", memo={}).evaluate()
        return c.changed(dy=numbers(output.shape))

    def _admitted(self, x: tuple[np.ndarray, ...]) -> Any:
        """Drawn numbers as what the layer can be fed, without zeros where others are divided by
        them: what is not finite explains nothing."""
        oracle = self._oracle()
        x = (oracle.admitted_inputs(x) if isinstance(self.x, tuple)
             else (oracle.admitted(x[0]),))
        x = tuple(np.where(each == 0, each.dtype.type(1), each) if i in oracle.divisors else each
                  for i, each in enumerate(x))
        return x if isinstance(self.x, tuple) else x[0]

    def _noise(self, rng, batch: int, numbers) -> np.ndarray:
        own = self.weights["noise"]
        shape = (batch if own.shape[0] == len(self.inputs[0]) else 1, *own.shape[1:])
        oracle = self._oracle()
        if isinstance(oracle, (GaussianNoise, GaussianDropout, EvenlyDrawn)):
            return oracle.admitted_noise(numbers(shape))
        rate = self.config.get("rate", 0.5)
        kept = own.dtype.type(own.max() or 1.0)
        return np.where(rng.random(shape) < min(max(rate, 0.2), 0.8), 0, kept).astype(own.dtype)

    def exact(self, c: LayerComputation) -> bool:
        """Whether whole numbers come out whole."""
        try:
            return oracle_for(c.class_name, c.config, c.part).exact
        except ValueError:
            return False

    def observations(self) -> list[Observation]:
        """Runs on small normal numbers, whole ones, and those on which it failed.

        A layer made anew for smaller images may have lost what was wrong; then it says nothing.
        """
        if self.runner is None:
            right = self.computation(self.x, self.dy, self.weights)
            assert self.made is not None  # as nothing can be run
            return [Observation(right, self.made, about="the numbers recorded", slack=self.slack)]
        found = []
        shapes = [(BATCHES["normal"], *x.shape[1:]) for x in self.inputs]
        small = [smaller_shape(self.class_name, self.config, shape) for shape in shapes]
        runner = self.runner.smaller(small if isinstance(self.x, tuple) else small[0]) \
            if small != shapes else None
        if runner is not None:
            found = self._run_all(runner, small)
        if not any(seen.fails for seen in found):
            found = self._run_all(self.runner, shapes)
        found += self._own()
        for times in WIDER:
            if not any(seen.fails for seen in found):
                found += self._run_all(self.runner, shapes, times)
        return found

    def _run_all(self, runner, shapes, times: int = 1) -> list[Observation]:
        found = []
        for kind, seed in (("normal", 0), ("integers", 1)):
            some = [(BATCHES[kind], *shape[1:]) for shape in shapes]
            found += self._run(runner, functools.partial(self.drawn, some, kind, seed, times),
                               kind == "integers", f"{kind} numbers")
        return found

    def _own(self) -> list[Observation]:
        """On the numbers on which it failed, or some samples of them."""
        if self.dy is None and self.tensor != "output" and not self.tensor.endswith("_updated"):
            return []
        x, dy, weights = self.x, self.dy, dict(self.weights)
        size = sum(a.size for a in self.inputs)
        batch = len(self.inputs[0])
        kept = max(2, batch * NUMBERS // max(size, 1))
        if kept < batch and not self._oracle().mixes_samples:
            x = tuple(a[:kept] for a in self.inputs)
            x = x if isinstance(self.x, tuple) else x[0]
            dy = None if dy is None else dy[:kept]
            if "noise" in weights and len(weights["noise"]) == batch:
                weights["noise"] = weights["noise"][:kept]
        return self._run(self.runner, functools.partial(self.computation, x, dy, weights),
                         self.exactly, "the numbers on which it failed")

    def _run(self, runner, make, exactly: bool, about: str) -> list[Observation]:
        """A list of one observation, or of none where nothing comes of it."""
        try:
            right = make()
            right.evaluate()
        except CANNOT:
            return []
        try:
            results = runner.run(right)
        except RAISED:  # somebody's own layer may raise anything
            return []
        if self.tensor not in results:
            return []
        slack = results.slack.get(self.tensor)
        return [Observation(right, results[self.tensor], exactly and self.exact(right), about,
                            slack)]


def smaller_shape(class_name: str, config: dict, shape: tuple) -> tuple:
    """A shape with fewer pixels on which the layer's windows land alike; no two axes of one size.
    """
    argument = LAYERS.get(class_name, Oracle).window
    if not argument:
        return shape
    window, rank = config[argument], len(shape) - 2
    first = 2 if config.get("data_format") == "channels_first" else 1
    steps = config.get("strides") or window
    dilation = config.get("dilation_rate") or (1,) * rank
    taken, made = {shape[0]}, list(shape)
    for i in range(rank):
        reach = (window[i] - 1) * dilation[i] + 1
        least = max(reach + 2 * steps[i], reach + 3, 5)
        axis = first + i
        sizes = [n for n in range(shape[axis], least - 1, -steps[i])]
        made[axis] = next((n for n in reversed(sizes) if n not in taken), shape[axis])
        taken.add(made[axis])
    return tuple(made)


