"""Faults of images that are made grey, negatives, sharper or blurred, with the draws given."""

import numpy as np

from compare.evaluation.faults.families.augmentation import inverted, not_clipped
from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.injection import patching
from compare.evaluation.faults.networks import around

OUT, DX, NOISE = "output", "input_gradient", "noise"
SHARP = around("RandomSharpness", factor=(0.0, 0.9), value_range=(-1, 1), batch=5)
BLUR = around("RandomGaussianBlur", factor=(0.4, 0.9), kernel_size=(5, 3), sigma=(0.4, 1.0),
              value_range=(-0.6, 0.6), batch=5)
NEGATIVE = around("RandomInvert", factor=(0.4, 0.8), value_range=(0, 3), batch=5)
GREY = around("RandomGrayscale", factor=0.6, batch=5)
# whose channels are red, green and blue
GREY.nodes[0].arguments["filters"] = 3


def rolled(self, right, x, noise):
    return right(x, np.roll(noise, 1, axis=0))


def weighted(*shares):
    """Red, green and blue have other weights."""
    return patching(_shares=lambda self, right, x: np.array(shares, x.dtype).reshape(
        right(x).shape))


def mean_of_window(self, right, x):
    return (13 * right(x) - 4 * x) / 9


def going_on(self, right, x):
    around_it = [(1, 1) if axis in self.image_axes else (0, 0) for axis in range(4)]
    return right(np.pad(x, around_it, mode="edge"))[:, 1:-1, 1:-1]


def blurred_going_on(self, right, x, kernel):
    width = max(kernel.shape) // 2
    around_it = [(width, width) if axis in self.image_axes else (0, 0) for axis in range(4)]
    made = right(np.pad(x, around_it, mode="edge"), kernel)
    return made[:, width:-width, width:-width]


def other_choice(noise):
    return np.concatenate([1 - noise[..., :1], noise[..., 1:]], axis=-1)


def border_kept(self, right, x):
    made = x.copy()
    made[:, 1:-1, 1:-1] = right(x)[:, 1:-1, 1:-1]
    return made


TABLE = [
    ("RandomSharpness", "not-doubled", "takes the factor as it was drawn", SHARP, OUT,
     "given-numbers", patching(changed=lambda self, right, x, noise: right(x, noise / 2))),
    ("RandomSharpness", "mean", "smooths by the mean of nine pixels", SHARP, OUT, "given-numbers",
     patching(smoothed=mean_of_window)),
    ("RandomSharpness", "edge-goes-on", "repeats the outermost pixels beyond the image", SHARP, OUT,
     "padding-value", patching(smoothed=going_on)),
    ("RandomSharpness", "border-kept", "does not smooth the outermost pixels", SHARP, OUT,
     "border-dropped", patching(smoothed=border_kept), ("padding-value",)),
    ("RandomSharpness", "other-image", "uses another image's draw", SHARP, OUT,
     "mask-wrong-tensor", patching(changed=rolled)),
    ("RandomSharpness", "not-clipped", "what leaves the range is not clipped", SHARP, OUT,
     "clip-missing", patching(combine=not_clipped)),
    ("RandomSharpness", "of-two", "draws the doubled factor", SHARP, NOISE, "noise-distribution",
     patching(draw=lambda self, right, rng, shape: 2 * right(rng, shape))),
    ("RandomGaussianBlur", "inverted", "blurs those that should stay", BLUR, OUT, "mask-inverted",
     patching(changed=lambda self, right, x, noise: right(x, other_choice(noise)))),
    ("RandomGaussianBlur", "all", "blurs all images", BLUR, OUT, "mask-missing",
     patching(changed=lambda self, right, x, noise: right(x, np.maximum(
         noise, np.array([1, 0, 0], noise.dtype))))),
    ("RandomGaussianBlur", "deviations-swapped", "exchanges the two deviations", BLUR, OUT,
     "axes-permuted", patching(kernel=lambda self, right, first, second: right(second, first))),
    ("RandomGaussianBlur", "outer-product", "does not read the kernel's numbers anew", BLUR, OUT,
     "kernel-layout", patching(kernel=lambda self, right, first, second: right(
         first, second).reshape(self.kernel_size[::-1]).T)),
    ("RandomGaussianBlur", "variance", "takes the deviation for a variance", BLUR, OUT,
     "variance-for-deviation", patching(kernel=lambda self, right, first, second: right(
         np.sqrt(first), np.sqrt(second)))),
    ("RandomGaussianBlur", "not-divided", "does not divide by the weights' sum", BLUR, OUT, "scale",
     patching(_weights=lambda self, right, size, deviation: right(size, deviation) / right(
         size, deviation).max())),
    ("RandomGaussianBlur", "edge-goes-on", "repeats the outermost pixels beyond the image", BLUR,
     OUT, "padding-value", patching(blurred=blurred_going_on)),
    ("RandomGaussianBlur", "not-clipped", "what leaves the range is not clipped", BLUR, OUT,
     "clip-missing", patching(combine=not_clipped)),
    ("RandomGaussianBlur", "dx-not-blurred", "the gradient is not blurred", BLUR, DX,
     "mask-missing", patching(changed_backward=lambda self, right, dy, noise: dy)),
    ("RandomGaussianBlur", "seldom", "blurs half as many", BLUR, NOISE, "noise-distribution",
     patching(draw=lambda self, right, rng, shape: right(rng, shape) * np.concatenate(
         [rng.random((shape[0], 1, 1, 1)) < 0.5, np.ones((shape[0], 1, 1, 2))], axis=3))),
    ("RandomInvert", "from-one", "takes the largest value for 1", NEGATIVE, OUT, "given-numbers",
     patching(changed=lambda self, right, x: 1 - x)),
    ("RandomInvert", "inverted", "makes those negatives that should stay", NEGATIVE, OUT,
     "mask-inverted", patching(combine=inverted)),
    ("RandomInvert", "never", "makes no negatives", NEGATIVE, OUT, "mask-missing",
     patching(combine=lambda self, right, x, noise: x)),
    ("RandomInvert", "dx-sign", "the gradient keeps its sign", NEGATIVE, DX, "sign",
     patching(changed_backward=lambda self, right, dy: dy), ("mask-missing",)),
    ("RandomInvert", "most", "makes a negative as often as its factor's end says", NEGATIVE, NOISE,
     "noise-distribution", patching(draw=lambda self, right, rng, shape: (
         rng.random((shape[0], 1, 1, 1)) < 0.8).astype(self.dtype))),
    ("RandomGrayscale", "thirds", "weighs all colours alike", GREY, OUT, "color-weights",
     weighted(1 / 3, 1 / 3, 1 / 3)),
    ("RandomGrayscale", "blue-first", "takes blue for red", GREY, OUT, "color-weights",
     weighted(0.114, 0.587, 0.2989)),
    ("RandomGrayscale", "other-standard", "weighs colours as high definition television does", GREY,
     OUT, "color-weights", weighted(0.2126, 0.7152, 0.0722)),
    ("RandomGrayscale", "other-image", "uses another image's draw", GREY, OUT,
     "mask-wrong-tensor", patching(combine=rolled)),
    ("RandomGrayscale", "dx-own-color", "sends each colour its own gradient alone", GREY, DX,
     "gradient-part-missing", patching(
         changed_backward=lambda self, right, dy: dy * self._shares(dy))),
    ("RandomGrayscale", "drawn-once", "draws once for a batch", GREY, NOISE,
     "noise-not-independent", patching(
         draw=lambda self, right, rng, shape: 0 * right(rng, shape) + right(rng, (1, *shape[1:])))),
]


def faults():
    """All of them."""
    return of_layers(TABLE, "Augmentation")
