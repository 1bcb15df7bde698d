"""Convolutions of sequences and images, planned; `lowering.py` says how their products go."""


from scratch.layers import Conv1D, Conv2D
from scratch.lowering import Lowering
from scratch.plans.lowered import PlannedLowering
from scratch.plans.planned import Planned, plans
from scratch.plans.rectifier import PlannedActivation


@plans(Conv1D, Conv2D)
class PlannedConvolution(Planned):
    """activation(kernel * x + bias), without groups or dilation."""

    def __init__(self, layer, samples, place, workspace):
        super().__init__(layer, samples, place, workspace)
        self._activation = PlannedActivation(layer.activation)
        channels = layer.input_shape[-1]
        self._forth = PlannedLowering(layer.forth, channels, samples, layer.dtype, workspace,
                                      keeps_windows=True)
        self._back: PlannedLowering | None = None
        self.place = layer.from_image(self._forth.place)
        self._z = layer.from_image(self._forth.output)
        # a rectifier may overwrite what comes in, which it does not need any more
        self._out = self._z if place is None else place
        self._kernel_gradient = None
        if self._activation.linear:
            self._plan_gradient()

    @classmethod
    def can_plan(cls, layer):
        return (layer.data_format == "channels_last" and layer.rank < 3
                and type(layer.forth) is type(layer.back) is Lowering
                and not (layer.forth.dilated or layer.back.dilated)
                and layer.windows.output_size[0] > 0)

    def is_current(self):
        return self.layer.activation is self._activation.activation

    def forward(self, x, training=False):
        if x is not self.place:
            self.place[...] = x
        self._forth.multiply(self.layer.image_kernel())
        if self.layer.use_bias:
            self._forth.add(self.layer.params["bias"])
        if self._activation.linear:
            return self._z
        self._y = self._activation.forward(self._z, self._out)
        return self._y

    def _plan_gradient(self) -> None:
        """Make what only the way back needs."""
        self._kernel_gradient = self._forth.plan_gradient()
        self._dz = self.layer.from_image(self._forth.gradient_place)
        if self._activation.linear:
            self.gradient_place = self._dz

    def backward(self, dy, wants_input_gradient=True):
        if self._kernel_gradient is None:
            self._plan_gradient()
        if self._activation.linear:
            if dy is not self._dz:
                self._dz[...] = dy
        else:
            self._activation.backward(dy, self._z, self._y, self._dz)
        layer = self.layer
        self._forth.kernel_gradient(layer.as_image_kernel(self.grads["kernel"]))
        if layer.use_bias:
            self._forth.bias_gradient(self.grads["bias"])
        if not wants_input_gradient:
            return None
        if self._back is None:
            self._back = PlannedLowering(layer.back, layer.filters, self.samples, layer.dtype,
                                         self.workspace, keeps_windows=False)
            self._dx = layer.from_image(self._back.output)
        self._back.place[...] = self._forth.gradient_place
        self._back.multiply(layer.back.turned(layer.image_kernel()))
        return self._dx
