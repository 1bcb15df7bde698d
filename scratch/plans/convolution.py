"""Convolutions planned: what all have in common, and the products that each kind is made of."""

import numpy as np

from scratch.layers import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from scratch.lowering import Lowering
from scratch.plans.channels import PlannedDepthwise
from scratch.plans.lowered import PlannedLowering, plan_bias_gradient
from scratch.plans.planned import Planned, plans
from scratch.plans.rectifier import PlannedActivation


class PlannedConvolution(Planned):
    """activation(kernel * x + bias) of sequences or images whose channels come last.

    A subclass makes the products:

    Attributes:
        image: where the input belongs, (N, H, W, C).
        output: the product, (N, OH, OW, F).
    """

    image: np.ndarray
    output: np.ndarray

    def __init__(self, layer, samples, place, workspace):
        super().__init__(layer, samples, place, workspace)
        self._activation = PlannedActivation(layer.activation)
        self.plan_products()
        self.place = layer.from_image(self.image)
        self._z = layer.from_image(self.output)
        # a rectifier may overwrite what comes in, which it does not need any more
        self._out = self._z if place is None else place
        # (N, OH, OW, F) -> (OW, F, OH N), as it lies in memory
        columns, filters = self.output.shape[2:]
        self._columns = self.output.transpose(2, 3, 1, 0).reshape(columns, filters, -1)
        self._dz: np.ndarray | None = None
        if self._activation.linear:
            self._plan_gradient()
            self.gradient_place = self._dz

    @classmethod
    def can_plan(cls, layer):
        return layer.data_format == "channels_last" and layer.rank < 3

    def is_current(self):
        return super().is_current() and self.layer.activation is self._activation.activation

    def lowered(self, lowering: Lowering, channels: int, keeps_windows: bool) -> PlannedLowering:
        """One of its products, planned for its batches."""
        return PlannedLowering(lowering, channels, self.samples, self.layer.dtype, self.workspace,
                               keeps_windows)

    def plan_products(self) -> None:
        """Make what the product is computed in."""
        raise NotImplementedError

    def multiply(self) -> None:
        """Fill `output` from `image` and the kernel."""
        raise NotImplementedError

    def plan_gradient(self) -> np.ndarray:
        """Make what the kernel's gradient is computed in; the place (N, OH, OW, F) of dz."""
        raise NotImplementedError

    def kernel_gradient(self, dz: np.ndarray) -> None:
        """The gradient of the kernel into `grads`, with dz in its place."""
        raise NotImplementedError

    def input_gradient(self, dz: np.ndarray) -> np.ndarray:
        """That of the image, (N, H, W, C), after `kernel_gradient`."""
        raise NotImplementedError

    def forward(self, x, training=False):
        if x is not self.place:
            self.place[...] = x
        self.multiply()
        if self.layer.use_bias:
            self._columns += self.layer.params["bias"][:, np.newaxis]
        if self._activation.linear:
            return self._z
        self._y = self._activation.forward(self._z, self._out)
        return self._y

    def _plan_gradient(self) -> None:
        self._dz_image = self.plan_gradient()
        self._dz = self.layer.from_image(self._dz_image)
        self._bias_gradient = plan_bias_gradient(self._dz_image)

    def backward(self, dy, wants_input_gradient=True):
        if self._dz is None:
            self._plan_gradient()
        if not self._activation.linear:
            self._activation.backward(dy, self._z, self._y, self._dz)
        elif dy is not self._dz:
            self._dz[...] = dy
        return self._gradients(wants_input_gradient)

    @property
    def logits(self):
        return self._z if self.logits_kind else None

    def backward_from_logits(self, dz, wants_input_gradient=True):
        if self._dz is None:
            self._plan_gradient()
        self._dz[...] = dz
        return self._gradients(wants_input_gradient)

    def _gradients(self, wants_input_gradient: bool):
        """All gradients, with dz in its place."""
        self.kernel_gradient(self._dz_image)
        if self.layer.use_bias:
            self._bias_gradient(self.grads["bias"])
        if not wants_input_gradient:
            return None
        return self.layer.from_image(self.input_gradient(self._dz_image))


def are_plain(*lowerings) -> bool:
    """Whether products are those of a `Lowering` whose columns are not dilated."""
    return all(type(each) is Lowering and not each.dilated for each in lowerings)


@plans(Conv1D, Conv2D)
class PlannedConv(PlannedConvolution):
    """Without groups or dilated columns."""

    _back: PlannedLowering | None = None

    @classmethod
    def can_plan(cls, layer):
        return super().can_plan(layer) and are_plain(layer.forth, layer.back)

    def plan_products(self):
        layer = self.layer
        self._forth = self.lowered(layer.forth, layer.input_shape[-1], keeps_windows=True)
        self.image, self.output = self._forth.place, self._forth.output

    def multiply(self):
        self._forth.multiply(self.layer.image_kernel())

    def plan_gradient(self):
        return self._forth.plan_gradient()

    def kernel_gradient(self, dz):
        self._forth.kernel_gradient(self.layer.as_image_kernel(self.grads["kernel"]))

    def input_gradient(self, dz):
        layer = self.layer
        if self._back is None:
            self._back = self.lowered(layer.back, layer.filters, keeps_windows=False)
        self._back.place[...] = dz
        self._back.multiply(layer.back.turned(layer.image_kernel()))
        return self._back.output


@plans(Conv1DTranspose, Conv2DTranspose)
class PlannedConvTranspose(PlannedConvolution):
    """A convolution's way back, and back again, without dilated columns."""

    @classmethod
    def can_plan(cls, layer):
        return super().can_plan(layer) and are_plain(layer.forth, layer.back)

    def plan_products(self):
        layer = self.layer
        self._forth = self.lowered(layer.forth, layer.input_shape[-1], keeps_windows=False)
        self._back: PlannedLowering | None = None
        self.image, self.output = self._forth.place, self._forth.output

    def multiply(self):
        self._forth.multiply(self.layer.forth.turned(self.layer.image_kernel()))

    def plan_gradient(self):
        layer = self.layer
        self._back = self.lowered(layer.back, layer.filters, keeps_windows=True)
        self._image_place = self._back.plan_gradient()
        return self._back.place

    def kernel_gradient(self, dz):
        self._back.lower()
        self._image_place[...] = self.image
        self._back.kernel_gradient(self.layer.as_image_kernel(self.grads["kernel"]))

    def input_gradient(self, dz):
        self._back.multiply_lowered(self.layer.image_kernel())
        return self._back.output


@plans(DepthwiseConv1D, DepthwiseConv2D)
class PlannedDepthwiseConv(PlannedConvolution):
    """Channel by channel, without dilated columns."""

    @classmethod
    def can_plan(cls, layer):
        return super().can_plan(layer) and PlannedDepthwise.can_plan(layer.depthwise)

    def plan_products(self):
        layer = self.layer
        self._products = PlannedDepthwise(layer.depthwise, layer.input_shape[-1], self.samples,
                                          layer.dtype, self.workspace)
        self.image, self.output = self._products.place, self._products.output

    def multiply(self):
        self._products.multiply(self.layer.image_kernel())

    def plan_gradient(self):
        return self._products.plan_gradient()

    def kernel_gradient(self, dz):
        self._products.kernel_gradient(self.layer.as_image_kernel(self.grads["kernel"]))

    def input_gradient(self, dz):
        return self._products.input_gradient(dz, self.layer.image_kernel())


@plans(SeparableConv1D, SeparableConv2D)
class PlannedSeparableConv(PlannedConvolution):
    """First channel by channel, without dilated columns, then across the channels."""

    @classmethod
    def can_plan(cls, layer):
        return super().can_plan(layer) and PlannedDepthwise.can_plan(layer.depthwise)

    def plan_products(self):
        layer = self.layer
        channels = layer.input_shape[-1]
        self._depthwise = PlannedDepthwise(layer.depthwise, channels, self.samples, layer.dtype,
                                           self.workspace)
        self._pointwise = self.lowered(layer.forth, channels * layer.depth_multiplier,
                                       keeps_windows=True)
        self.image, self.output = self._depthwise.place, self._pointwise.output

    def multiply(self):
        layer = self.layer
        self._depthwise.multiply(layer.image_kernel("depthwise_kernel"))
        self._pointwise.place[...] = self._depthwise.output
        self._pointwise.multiply(layer.image_kernel("pointwise_kernel"))

    def plan_gradient(self):
        layer = self.layer
        self._pointwise_back = self.lowered(layer.back, layer.filters, keeps_windows=False)
        self._between = self._depthwise.plan_gradient()
        return self._pointwise.plan_gradient()

    def kernel_gradient(self, dz):
        layer, back = self.layer, self._pointwise_back
        back.place[...] = dz
        back.multiply(layer.back.turned(layer.image_kernel("pointwise_kernel")))
        self._between[...] = back.output
        depthwise, pointwise = (layer.as_image_kernel(self.grads[name])
                                for name in ("depthwise_kernel", "pointwise_kernel"))
        self._depthwise.kernel_gradient(depthwise)
        self._pointwise.kernel_gradient(pointwise)

    def input_gradient(self, dz):
        return self._depthwise.input_gradient(self._pointwise_back.output,
                                              self.layer.image_kernel("depthwise_kernel"))
