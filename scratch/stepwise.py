"""A model on every step of a sequence, such as a network for images on each image of a video.

    frames = scratch.Input((8, 32, 32, 3))                      # 8 images
    features = scratch.TimeDistributed(cnn)(frames)             # (None, 8, ...), cnn a model
    outputs = scratch.Dense(4)(scratch.LSTM(16)(features))

Written out, it is the model's own graph with a `TimeDistributed` around each of its layers, which
computes the same; the layers are called `time_distributed.cnn.conv2d`.
"""

from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config, layer_to_config
from scratch.layers import Input, TimeDistributed
from scratch.layers.time_distributed import AROUND_MODELS
from scratch.nesting import Call
from scratch.network import Network

WRAPPER = TimeDistributed.__name__


class StepwiseModel(Network):
    """What `TimeDistributed` is around a model.

    Args:
        layer: the model, of one input and one output, whose layers neither make masks nor keep
            states; each sample's output depends on that sample alone, but for batch
            normalization, which takes the moments of each step by themselves.
        name, trainable, dtype: see `Layer`.

    Input shape:
        (batch, steps, ...), what the model takes behind the steps.

    Output shape:
        (batch, steps, ...), what the model puts out behind the steps.

    Raises:
        UnsupportedError: for a model of several inputs or outputs, one that is not frozen while
            the wrapper is, for other layers inside, and for another argument.
    """

    def __init__(self, layer: Network, name=None, trainable=True, dtype=None,
                 activity_regularizer=None, **settings):
        super().__init__(name, "time_distributed", trainable, dtype)
        self.layer = self.on_every_step = layer
        given = {"activity_regularizer": activity_regularizer, **settings}
        for key, value in given.items():
            if value is not None:
                raise UnsupportedError(f"{self} around a model does not support {key}={value!r}.")
        if layer.inputs_as is not None or layer.outputs_as is not None:
            raise UnsupportedError(f"{self} does not support {layer}. Expected a model of one "
                                   "input and one output.")
        if layer.trainable and not self.trainable:
            raise UnsupportedError(
                f"{self} does not support trainable=False around a model with trainable=True. "
                "Expected: a model that is frozen itself.")
        self.calls = [Call(layer, (-1,))]
        if layer.built:
            self._take_inputs(layer.input_shape)
        self._write_out()

    def _take_inputs(self, of_a_step: tuple) -> None:
        """Know what comes in; how many steps there are each call says anew."""
        self.inputs = [Input(batch_shape=(of_a_step[0], None, *of_a_step[1:]), name="steps")]

    def compute_output_shape(self, input_shape):
        batch, steps, *sizes = _with_steps(input_shape, self)
        if not self.built:
            self.build(tuple(input_shape))
        made = self.layer.compute_output_shape((batch, *sizes))
        return (made[0], steps, *made[1:])

    def build(self, input_shape: tuple) -> None:
        batch, _, *sizes = _with_steps(input_shape, self)
        self._take_inputs((batch, *sizes))
        super().build(input_shape)

    def _write_out(self) -> None:
        super()._write_out()
        for layer in self.layers:
            alone = layer.sample_by_sample or layer.random_inside or layer.counting_inside
            if layer.masked_by or layer.makes_masks or not alone:
                raise UnsupportedError(
                    f"{self} does not support {layer} in the model on every step. Expected layers "
                    "that make and use no masks, and of which each sample's output depends on that "
                    "sample alone.")
        self.layers = [TimeDistributed.around(layer) for layer in self.layers]

    def get_config(self) -> dict:
        """Keras's config of the wrapper, the model inside it."""
        policy = {"module": "keras", "class_name": "DTypePolicy",
                  "config": {"name": self.policy.name}, "registered_name": None}
        return {"name": self.name, "trainable": self.trainable, "dtype": policy,
                "layer": layer_to_config(self.layer, self.policy.name)}

    def saved_as(self):
        return {"module": "keras.layers", "class_name": WRAPPER, "registered_name": None,
                "build_config": {"input_shape": self.input_shape}}

    @classmethod
    def from_config(cls, config: dict) -> "StepwiseModel":
        """From Keras's config of the wrapper."""
        return cls(**{**config, "layer": layer_from_config(config["layer"])})


def _with_steps(input_shape, owner) -> tuple:
    """The shape, which has steps.

    Raises:
        ValueError: if it has none.
    """
    if len(input_shape) < 3:
        raise ValueError(f"{owner}: expected inputs of shape (batch, steps, ...), at least three "
                         f"axes. Received: input_shape={tuple(input_shape)}")
    return tuple(input_shape)


AROUND_MODELS[WRAPPER] = StepwiseModel
