"""The oracle of images that are blurred by a Gaussian kernel, which is told what was drawn."""

import numpy as np

from compare.oracle.base import judges
from compare.oracle.layers.augmentation import Clipped
from compare.oracle.masks import chosen
from compare.oracle.running_error import Bounded


@judges("RandomGaussianBlur")
class RandomGaussianBlur(Clipped):
    """Images whose first number is not 0 mixed by a kernel, with zeros beyond the image; clipped.

    The kernel's weights along an axis are exp(-d^2 / (2 deviation^2)) at the distance d from its
    middle, over their sum. As Keras has it, a kernel_size (a, b) makes b times a products, which
    are read row by row as a times b.
    """

    exact = False
    operation = "a mixture of neighbouring pixels, clipped"

    @property
    def probability(self) -> float:
        """That of an image, whose own is drawn between two numbers."""
        return float(np.clip(self.config["factor"], 0, 1).mean())

    def ranges(self, shape: tuple[int, ...]) -> list[tuple[float, float]]:
        """Of the two deviations."""
        low, high = self.config["sigma"]
        return [(low + 1e-6, high + 1e-6)] * 2

    def admitted_noise(self, noise: np.ndarray) -> np.ndarray:
        """Numbers drawn for the layer as images that are blurred or not, and as deviations, which
        are the same for all."""
        made = np.empty_like(noise)
        made[..., 0] = noise[..., 0] > 0
        made[..., 1:] = 0.3 + np.abs(noise[:1, ..., 1:]) / 2
        return made

    def changed(self, x: Bounded, noise: Bounded) -> Bounded:
        return chosen(noise.value[..., :1] != 0, self.mixed(x, self.kernel(noise)), x)

    def changed_back(self, dy: Bounded, noise: Bounded) -> Bounded:
        return self.changed(dy, noise)  # the kernel is the same from the other end

    def kernel(self, noise: Bounded) -> Bounded:
        """Of the kernel_size."""
        across, down = (self.weights(size, Bounded(deviation, noise.rounding))
                        for size, deviation in zip(self.config["kernel_size"],
                                                   noise.value[0, 0, 0, 1:]))
        return (down.reshape(-1, 1) * across.reshape(1, -1)).reshape(self.config["kernel_size"])

    def weights(self, size: int, deviation: Bounded) -> Bounded:
        """Along one axis."""
        distance = Bounded(np.arange(size) - (size - 1) / 2, deviation.rounding) / deviation
        made = (distance * distance * Bounded(-0.5, deviation.rounding)).exp()
        return made / made.sum()

    def reductions(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]
                   ) -> dict[str, int]:
        pixels = int(np.prod(self.config["kernel_size"]))
        return {"output": pixels, "input_gradient": pixels}
