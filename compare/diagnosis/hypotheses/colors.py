"""Mistakes of images that are made grey, negatives, sharper or blurred, whose draws are known."""

import numpy as np

from compare.diagnosis.hypotheses.augmentation import drawn
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.blur import RandomGaussianBlur
from compare.oracle.layers.colors import (
    RandomGrayscale,
    RandomInvert,
    RandomSharpness,
    Recoloured,
)
from compare.oracle.running_error import Bounded


def of_colors(c) -> list[Variant]:
    """Images chosen the wrong way; other weights of colours, another largest value, other
    neighbours."""
    if isinstance(c.layer, RandomGaussianBlur) and "noise" in c.weights and c.training:
        return _of_blur(c)
    if not isinstance(c.layer, (Recoloured, RandomSharpness)) or "noise" not in c.weights \
            or not c.training:
        return []
    found = _of_choices() if isinstance(c.layer, Recoloured) else _of_sharpness()
    if isinstance(c.layer, RandomInvert):
        found += _of_negatives(c)
    if isinstance(c.layer, RandomGrayscale):
        found += _of_grey(c)
    return found


def _of_choices() -> list[Variant]:
    return [
        drawn("mask-inverted", "those are changed that should stay",
              lambda noise: np.where(noise == 0, 1, 0)),
        inside("mask-missing", "nothing is changed", lambda c: c.changed(training=False)),
        drawn("mask-missing", "everything is changed", np.ones_like),
        drawn("mask-wrong-tensor", "another image's draw", lambda noise: np.roll(noise, 1, axis=0))]


def _of_negatives(c) -> list[Variant]:
    low, high = c.config["value_range"]
    if c.tensor == "output":
        return [inside("given-numbers", f"{other:g} - x in place of {high:g} - x",
                       lambda c, other=other: c.configured(value_range=(low, other)))
                for other in (0.0, 1.0, 255.0, low, low + high, high - low) if other != high]
    return [inside("sign", "the gradient keeps its sign", lambda c: c.hooked(
        changed_back=lambda layer, right, dy: dy))]


SHARES = {
    "a third of each": (1 / 3, 1 / 3, 1 / 3),
    "blue, green, red": (0.114, 0.587, 0.2989),
    "those of high definition television": (0.2126, 0.7152, 0.0722),
    "0.299 of red": (0.299, 0.587, 0.114),
}


def _of_grey(c) -> list[Variant]:
    found = [inside("color-weights", said, lambda c, s=shares: c.hooked(
        _weights=lambda layer, right, x: _as(right(x), s))) for said, shares in SHARES.items()]
    if c.tensor == "input_gradient":
        found.append(inside("gradient-part-missing", "each colour's own gradient alone",
                            lambda c: c.hooked(changed_back=lambda layer, right, dy:
                                               dy * layer._weights(dy))))
    return found


def _as(right: Bounded, shares: tuple) -> Bounded:
    weights = np.array(shares).reshape(right.shape)
    return Bounded(weights, right.rounding, right.rounding.unit * weights)


def _of_sharpness() -> list[Variant]:
    return [
        drawn("given-numbers", "the factor is not doubled", lambda noise: noise / 2),
        inside("given-numbers", "1/9 of each neighbour and of the pixel", lambda c: c.hooked(
            smoothed=lambda layer, right, x: _even(right, x))),
        *[inside("padding-value", said, lambda c, mode=mode: c.hooked(
            smoothed=lambda layer, right, x: _framed(right, x, layer.image_axes, mode)))
          for said, mode in (("the outermost pixels go on beyond the image", "edge"),
                             ("the image is mirrored beyond its border", "reflect"))],
        inside("border-dropped", "the outermost pixels are not smoothed", lambda c: c.hooked(
            smoothed=lambda layer, right, x: _inner(right(x), x, layer.image_axes)))]


def _of_blur(c) -> list[Variant]:
    return [
        drawn("mask-inverted", "those are blurred that should stay", lambda noise: np.concatenate(
            [noise[..., :1] == 0, noise[..., 1:]], axis=-1)),
        drawn("mask-missing", "everything is blurred", lambda noise: np.concatenate(
            [noise[..., :1] * 0 + 1, noise[..., 1:]], axis=-1)),
        *([inside("mask-missing", "the gradient is not blurred", lambda c: c.hooked(
            changed_back=lambda layer, right, dy, noise: dy))]
          if c.tensor == "input_gradient" else []),
        drawn("axes-permuted", "the two deviations are exchanged",
              lambda noise: noise[..., [0, 2, 1]]),
        inside("axes-permuted", "the kernel's rows and columns are exchanged", lambda c: c.hooked(
            kernel=lambda layer, right, noise: right(noise).rearranged(np.transpose))),
        inside("kernel-layout", "the products are not read anew", lambda c: c.hooked(
            kernel=lambda layer, right, noise: right(noise).rearranged(
                lambda a: a.reshape(a.shape[::-1]).T))),
        drawn("variance-for-deviation", "a root is drawn from the deviation", lambda noise:
              np.concatenate([noise[..., :1], np.sqrt(noise[..., 1:])], axis=-1)),
        drawn("variance-for-deviation", "the deviation is squared", lambda noise:
              np.concatenate([noise[..., :1], noise[..., 1:] ** 2], axis=-1)),
        inside("scale", "the weights do not add up to 1", lambda c: c.hooked(
            weights=lambda layer, right, size, deviation: _not_divided(size, deviation))),
        *[inside("padding-value", said, lambda c, mode=mode: c.hooked(
            blurred=lambda layer, right, x, kernel: _framed(
                lambda image: right(image, kernel), x, layer.image_axes, mode,
                max(kernel.shape) // 2)))
          for said, mode in (("the outermost pixels go on beyond the image", "edge"),
                             ("the image is mirrored beyond its border", "reflect"))]]


def _not_divided(size: int, deviation: Bounded) -> Bounded:
    distance = Bounded(np.arange(size) - (size - 1) / 2, deviation.rounding) / deviation
    return (distance * distance * Bounded(-0.5, deviation.rounding)).exp()


def _even(right, x: Bounded) -> Bounded:
    """The mean of the window, of what the right kernel makes: (13 s - 4 x) / 9."""
    made = right(x)
    return Bounded((13 * made.value - 4 * x.value) / 9, x.rounding,
                   2 * made.bound + x.bound + 8 * x.rounding.unit * np.abs(x.value))


def _framed(right, x: Bounded, axes: tuple[int, int], mode: str, width: int = 1) -> Bounded:
    """Mixed with other pixels beyond the image."""
    around = [(width, width) if axis in axes else (0, 0) for axis in range(4)]
    inner = tuple(slice(width, -width) if axis in axes else slice(None) for axis in range(4))
    made = right(x.rearranged(lambda a: np.pad(a, around, mode)))  # type: ignore[call-overload]
    return made.rearranged(lambda a: a[inner])


def _inner(made: Bounded, x: Bounded, axes: tuple[int, int]) -> Bounded:
    """x at the border, else what was made."""
    inside_it = np.zeros(x.shape, bool)
    inside_it[tuple(slice(1, -1) if axis in axes else slice(None) for axis in range(4))] = True
    return Bounded(np.where(inside_it, made.value, x.value), x.rounding,
                   np.where(inside_it, made.bound, x.bound))
