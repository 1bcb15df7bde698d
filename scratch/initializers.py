"""Initial weights: Keras's initializers by name, with Keras's distributions.

The distributions are Keras's, the draws are not: copy the weights to compare two models.
Formulas: Glorot and Bengio (2010), He et al. (2015), LeCun et al. (1998), in the form Keras gives
them in `keras.initializers.VarianceScaling`; orthogonal matrices as in Saxe et al. (2014).
"""

import contextlib
import math
import zlib
from collections.abc import Iterator
from contextvars import ContextVar

import numpy as np

from scratch import seed as seeding
from scratch.errors import UnsupportedError
from scratch.suggestions import did_you_mean

# A normal distribution cut at two standard deviations has this standard deviation itself.
TRUNCATED_STDDEV = 0.87962566103423978

_drawn = ContextVar("_drawn", default=True)


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Weights made in this block have shapes only, and take up no memory.

    For a model whose weights come from elsewhere: whether those fit is known before there is room
    for them. Each is to be given its numbers, by `set_weights`, before the model is used.
    """
    before = _drawn.set(False)
    try:
        yield
    finally:
        _drawn.reset(before)


def is_undrawn(weight: np.ndarray) -> bool:
    """Whether this is a weight that has a shape only."""
    return not weight.flags.writeable


def fans(shape: tuple[int, ...], input_axes=None, output_axes=None) -> tuple[float, float]:
    """(fan in, fan out) of a weight: (in, out), or (*kernel, in, out) with the receptive field.

    A depthwise kernel (*kernel, in, multiplier) counts like any other, as in Keras. Where both
    `input_axes` and `output_axes` are given, the fans are the products of their sizes instead.
    """
    if input_axes is not None and output_axes is not None:
        return (float(math.prod(shape[axis] for axis in input_axes)),
                float(math.prod(shape[axis] for axis in output_axes)))
    if len(shape) < 1:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    receptive_field = math.prod(shape[:-2])
    return float(shape[-2] * receptive_field), float(shape[-1] * receptive_field)


class Initializer:
    """Called with a shape and a dtype, returns an array. `seed` makes each call repeat itself.

    The arguments are those in `defaults`, by name or in that order, as in Keras.
    """

    defaults: dict = {}

    def __init__(self, *values, **config):
        if len(values) > len(self.defaults):
            raise TypeError(f"Initializer {type(self).__name__}: expected at most "
                            f"{len(self.defaults)} arguments. Received: {values}")
        config = {**dict(zip(self.defaults, values)), **config}
        unknown = set(config) - set(self.defaults)
        if unknown:
            raise UnsupportedError(
                f"Initializer {type(self).__name__} does not support: {', '.join(sorted(unknown))}."
                f" Expected only: {', '.join(self.defaults) or 'no arguments'}."
            )
        self.config = {**self.defaults, **config}

    def __call__(self, shape, dtype="float32") -> np.ndarray:
        if not _drawn.get():
            return np.broadcast_to(np.zeros((), dtype), shape)
        return np.asarray(self.draw(tuple(shape), self._generator()), dtype)

    def draw(self, shape, rng) -> np.ndarray:
        raise NotImplementedError

    def _generator(self) -> np.random.Generator:
        seed = self.config.get("seed")
        if seed is None:
            return seeding.generator()
        if not isinstance(seed, int):  # Keras also takes a generator's config
            seed = zlib.crc32(repr(seed).encode())
        return np.random.default_rng(seed)

    def get_config(self) -> dict:
        return dict(self.config)


def truncated_normal(rng, shape, mean, stddev) -> np.ndarray:
    """Normal values, drawn again wherever they lie more than two standard deviations out."""
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return mean + stddev * values


class Zeros(Initializer):
    def draw(self, shape, rng):
        return np.zeros(shape)


class Ones(Initializer):
    def draw(self, shape, rng):
        return np.ones(shape)


class Constant(Initializer):
    defaults = {"value": 0.0}

    def draw(self, shape, rng):
        return np.full(shape, self.config["value"])


class RandomNormal(Initializer):
    defaults = {"mean": 0.0, "stddev": 0.05, "seed": None}

    def draw(self, shape, rng):
        return rng.normal(self.config["mean"], self.config["stddev"], shape)


class TruncatedNormal(RandomNormal):
    def draw(self, shape, rng):
        return truncated_normal(rng, shape, self.config["mean"], self.config["stddev"])


class RandomUniform(Initializer):
    defaults = {"minval": -0.05, "maxval": 0.05, "seed": None}

    def draw(self, shape, rng):
        return rng.uniform(self.config["minval"], self.config["maxval"], shape)


class Identity(Initializer):
    """gain times the identity matrix; of a matrix that is not square, the part that fits.

    Raises:
        ValueError: for a weight that is no matrix.
    """

    defaults = {"gain": 1.0}

    def draw(self, shape, rng):
        if len(shape) != 2:
            raise ValueError("Initializer Identity: expected the shape of a matrix. "
                             f"Received: shape={shape}")
        return self.config["gain"] * np.eye(*shape)

    def get_config(self):
        return {} if self.config["gain"] == 1 else dict(self.config)  # as Keras, which has only {}


class Orthogonal(Initializer):
    """gain times a random orthogonal matrix, all of them equally likely.

    The weight is one as a matrix (all axes but the last, the last): its columns are orthonormal, or
    its rows if there are fewer of them.

    Raises:
        ValueError: for a weight with fewer than two axes.
    """

    defaults = {"gain": 1.0, "seed": None}

    def draw(self, shape, rng):
        if len(shape) < 2:
            raise ValueError("Initializer Orthogonal: expected a shape of two axes or more. "
                             f"Received: shape={shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # without this, some matrices were likelier than others
        return self.config["gain"] * (q.T if rows < columns else q).reshape(shape)


class VarianceScaling(Initializer):
    """Variance scale / n, with n the fan in, the fan out, or their mean.

    Raises:
        ValueError: for a scale that is not positive, or another mode or distribution.
    """

    defaults = {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "seed": None,
                "input_axes": None, "output_axes": None}
    fixed: dict = {}

    modes = ("fan_in", "fan_out", "fan_avg")
    distributions = ("truncated_normal", "untruncated_normal", "uniform")

    def __init__(self, *values, **config):
        super().__init__(*values, **config)
        if "distribution" in self.config:
            name = str(self.config["distribution"]).lower()
            self.config["distribution"] = "truncated_normal" if name == "normal" else name
        rule = {**self.config, **self.fixed}
        if not rule["scale"] > 0 or rule["mode"] not in self.modes \
                or rule["distribution"] not in self.distributions:
            raise ValueError(
                f"Initializer {type(self).__name__}: expected a positive scale, a mode of "
                f"{self.modes} and a distribution of {self.distributions}. Received: {rule}")

    def draw(self, shape, rng):
        rule = {**self.config, **self.fixed}
        fan_in, fan_out = fans(shape, rule["input_axes"], rule["output_axes"])
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[rule["mode"]]
        variance = rule["scale"] / max(1.0, n)
        if rule["distribution"] == "uniform":
            limit = math.sqrt(3 * variance)
            return rng.uniform(-limit, limit, shape)
        if rule["distribution"] == "untruncated_normal":
            return rng.normal(0.0, math.sqrt(variance), shape)
        return truncated_normal(rng, shape, 0.0, math.sqrt(variance) / TRUNCATED_STDDEV)


def _variance_scaling(name, scale, mode, distribution):
    """The subclass of VarianceScaling that Keras gives this name, with its rule fixed."""
    return type(name, (VarianceScaling,), {
        "defaults": {"seed": None, "input_axes": None, "output_axes": None},
        "fixed": {"scale": scale, "mode": mode, "distribution": distribution},
        "__doc__": f"VarianceScaling with scale {scale}, {mode}, {distribution}.",
        "__module__": __name__,
    })


GlorotUniform = _variance_scaling("GlorotUniform", 1.0, "fan_avg", "uniform")
GlorotNormal = _variance_scaling("GlorotNormal", 1.0, "fan_avg", "truncated_normal")
HeUniform = _variance_scaling("HeUniform", 2.0, "fan_in", "uniform")
HeNormal = _variance_scaling("HeNormal", 2.0, "fan_in", "truncated_normal")
LecunUniform = _variance_scaling("LecunUniform", 1.0, "fan_in", "uniform")
LecunNormal = _variance_scaling("LecunNormal", 1.0, "fan_in", "truncated_normal")

CLASSES = {cls.__name__: cls for cls in (
    Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, Orthogonal,
    VarianceScaling, GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal)}
ALIASES = {
    "zeros": "Zeros", "ones": "Ones", "constant": "Constant", "random_normal": "RandomNormal",
    "truncated_normal": "TruncatedNormal", "random_uniform": "RandomUniform",
    "variance_scaling": "VarianceScaling", "glorot_uniform": "GlorotUniform",
    "glorot_normal": "GlorotNormal", "he_uniform": "HeUniform", "he_normal": "HeNormal",
    "lecun_uniform": "LecunUniform", "lecun_normal": "LecunNormal", "orthogonal": "Orthogonal",
    "identity": "Identity", "zero": "Zeros", "one": "Ones", "normal": "RandomNormal",
    "uniform": "RandomUniform", "OrthogonalInitializer": "Orthogonal",
    "IdentityInitializer": "Identity",
}


def get(identifier) -> Initializer:
    """An initializer from an object, a name ('glorot_uniform', 'GlorotUniform') or a Keras config.

    Raises:
        UnsupportedError: for a name or a setting that is not known.
    """
    if isinstance(identifier, Initializer):
        return identifier
    name = identifier
    config: dict = {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if name not in CLASSES:
        raise UnsupportedError(
            f"Initializer {identifier!r} is not supported.{did_you_mean(name, ALIASES)} "
            f"Expected one of: {', '.join(ALIASES)}."
        )
    return CLASSES[name](**config)


def serialize(initializer: Initializer) -> dict:
    """The dictionary by which Keras knows this initializer."""
    return {"module": "keras.initializers", "class_name": type(initializer).__name__,
            "config": initializer.get_config(), "registered_name": None}
