"""What layers around another layer have in common."""

from scratch.errors import UnsupportedError
from scratch.layers.base import Layer
from scratch.naming import snake_case

KNOWN: dict[str, type[Layer]] = {}  # the layers by name; filled where they are listed


class Wrapper(Layer):
    """A layer whose weights are another layer's: the same arrays, in the same dictionary.

    Args:
        layer: the layer inside, not built yet. Each sample's output has to depend on that sample
            alone, with nothing drawn or counted.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        As the subclass says.

    Output shape:
        As the subclass says.

    Raises:
        ValueError: for what is no layer, or has weights already.
        UnsupportedError: for other layers, and those whose outputs are regularized or that are
            frozen while the wrapper is not, or the other way round.

    Example:
        >>> class Same(scratch.layers.Wrapper):
        ...     def forward(self, x, training=False):
        ...         return self.layer.forward(x)
        >>> Same(scratch.Dense(3)).layer.name
        'dense'
    """

    inner_layers: tuple[str, ...] = ("layer",)
    takes_several = False  # whether the layer inside may put out several arrays
    takes_random = False  # whether the layer inside may draw, of those that may stand inside
    takes_counting = False  # whether it may look at the whole batch, as batch normalization does

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.layer = self._checked(layer)

    def _checked(self, layer) -> Layer:
        """The layer, if it can stand inside, with a name."""
        if not isinstance(layer, Layer):
            if hasattr(layer, "calls"):
                raise UnsupportedError(f"{self} does not support a model inside, {layer.name!r}. "
                                       "Expected a layer.")
            raise ValueError(f"{self}: expected layer to be a layer. Received: {layer!r:.100}")
        if layer.built:
            raise ValueError(f"{self}: expected a layer that is not built yet. Received: {layer}")
        kind = type(layer).__name__
        alone = layer.sample_by_sample or (self.takes_random and layer.random_inside) or (
            self.takes_counting and layer.counting_inside)
        if layer.merges or not alone or (layer.outputs_as is not None and not self.takes_several):
            raise UnsupportedError(f"{self} does not support layer={kind}. Expected a layer of one "
                                   "input and one output, which for a sample depends on that "
                                   "sample alone.")
        if layer.activity_regularizer is not None:
            raise UnsupportedError(f"{self} does not support an activity_regularizer of the layer "
                                   "inside. Expected: None.")
        if self.trainable != layer.trainable:
            raise UnsupportedError(
                f"{self} does not support trainable={self.trainable} around a layer with "
                f"trainable={layer.trainable}. Expected: the same for both.")
        layer._flags = self._flags  # from now on it is
        layer.name = layer.name or snake_case(kind)
        return layer

    def build_inner(self, layer: Layer, input_shape: tuple) -> None:
        """Make the weights of the layer inside, or have it take inputs of another shape.

        Raises:
            UnsupportedError: if it wants another precision.
        """
        if layer.requested_dtype not in (None, self.dtype) or layer.policy.low:
            raise UnsupportedError(f"{self} does not support a layer inside of another precision. "
                                   f"Expected: {self.dtype}. Received: {layer.policy.name}")
        layer.dtype = self.dtype
        (layer.take_inputs if layer.built or layer.params else layer.build)(input_shape)

    @property
    def active(self) -> bool:
        """Whether a layer inside draws in training."""
        return any(getattr(getattr(self, name), "active", False) for name in self.inner_layers)

    @classmethod
    def from_config(cls, config):
        made = {argument: KNOWN[config[argument]["class_name"]].from_config(
                    config[argument]["config"])
                for argument in cls.inner_layers if isinstance(config.get(argument), dict)}
        return cls(**{**config, **made})

    def another_call(self, name, tied_to=None):
        call = super().another_call(name, tied_to)
        for argument in self.inner_layers:
            inner = getattr(self, argument)
            setattr(call, argument, inner.another_call(inner.name))
        return call

    def get_config(self):
        config = super().get_config()
        for name in self.constraints:  # which stand with the layer inside
            config.pop(f"{self.argument_of(name)}_constraint", None)
        for argument in self.inner_layers:
            inner = getattr(self, argument)
            config[argument] = {"module": inner.keras_module, "class_name": type(inner).__name__,
                                "config": inner.get_config(), "registered_name": None}
        return config
