"""One batch: forward, loss, backward, update. What is repeated is in `training/`.

A batch is computed in blocks (`blocks.py`), on several threads. Each block's loss is its part of
the batch's, so that losses and gradients add up; penalties on weights come in once, at the end.
"""

import math
from typing import Any, NamedTuple, NoReturn

import numpy as np

from scratch import (
    blocks,
    constraints,
    losses,
    nonfinite,
    parallel,
    regularization,
    side_by_side,
)
from scratch.compiling import Compiling
from scratch.errors import NonFiniteLossError
from scratch.layers import Layer
from scratch.low_precision import keep_rounded
from scratch.precision import LOW, rounded
from scratch.several import Several, Structure, each, grouped, mapped


class Learner(Compiling):
    """What a model needs to learn from a batch.

    A subclass gives it layers in an order, `forward`, `backward` and `build`.

    Attributes:
        name: the model's name.
        trainable: whether an optimizer may change any weight.
        layers: in Keras's order, the input not among them; the last one's output is the model's.
        built: whether all layers have their weights.
        optimizer, loss: objects, None before `compile`; of several outputs a `JointLoss`.
        metrics, weighted_metrics: lists of metrics, the second ones weighted by sample weights; of
            several outputs a list for each.
    """

    name: str
    trainable: bool
    layers: list[Layer]
    built: bool
    ends: list[int]
    output_masks: Several | None
    inputs_as: Structure | None
    outputs_as: Structure | None

    # Whether anybody may look at the layers' gradients between one step and the next.
    _watched = True

    def forward(self, x, training: bool = False) -> np.ndarray:
        """The output for a batch; every layer then remembers what its way back needs."""
        raise NotImplementedError

    def backward(self, gradient, from_logits=False, wants_input_gradient=True):
        """From the gradient with respect to the output, or to the last softmax's logits.

        Returns the gradient with respect to the input (None if not wanted); the layers' `grads`
        hold those with respect to the weights. The gradients of activity regularizers' penalties
        are in them, those of weight regularizers are not.
        """
        raise NotImplementedError

    def build(self, input_shape) -> None:
        """Make the weights of every layer that has none yet, for inputs (None, ...).

        Raises:
            ValueError: if the model has no layers, or if one cannot take such inputs.
        """
        raise NotImplementedError

    @property
    def has_output_masks(self) -> bool:
        """Whether a mask comes along with an output."""
        raise NotImplementedError

    @property
    def _scale(self) -> float:
        """What the loss is multiplied by before the way back."""
        return 1.0 if self.optimizer is None else self.optimizer.loss_scale

    @property
    def input_shape(self):
        """(None, ...), of several inputs a list; None for a size that each batch says anew."""
        raise NotImplementedError

    @property
    def input_names(self) -> list[str]:
        """Of the inputs, in order."""
        raise NotImplementedError

    @property
    def has_open_sizes(self) -> bool:
        """Whether each batch says some sizes of the inputs anew."""
        raise NotImplementedError

    def takes(self, shape) -> bool:
        """Whether inputs may have that shape, whatever the size of the batch."""
        raise NotImplementedError

    def as_input(self, x) -> Any:
        """x as a batch of the model's precision and shape."""
        raise NotImplementedError

    @property
    def trainable_variables(self) -> list[np.ndarray]:
        """The weights that the optimizer changes, layer by layer."""
        if not self.trainable:
            return []
        return [weight for layer in self.layers for weight in layer.trainable_params.values()]

    def loss_and_gradients(self, x, y, wants_input_gradient=False, sample_weight=None):
        """One batch forward and backward, no update: (loss, output, input gradient or None).

        A cross-entropy right after a softmax or a sigmoid is computed from its input, as in Keras.
        Loss and gradients contain the regularizers' penalties. The gradients are those of the loss
        multiplied by the optimizer's scale, if it has one.
        """
        x = self.grouped_inputs(x)
        value, output, dx = self._learn(x, self._weighed(x, y, sample_weight), wants_input_gradient)
        return losses.total_of(self._penalized(value, gradients=True)), output, dx

    def forward_and_loss(self, x, y, training=False, sample_weight=None):
        """(output, loss with penalties, whether it was computed from the last layer's logits)."""
        x = self.grouped_inputs(x)
        output, value, fused = self._forward_and_loss(
            x, self._weighed(x, y, sample_weight), training)
        return output, losses.total_of(self._penalized(value)), fused

    def _weighed(self, x, y, sample_weight):
        """A batch's labels, with what each of its losses counts for."""
        self._make_ready(x)
        targets, weights = self._targets(y), self.grouped_weights(sample_weight)
        if self.has_output_masks:
            return Unweighed(targets, weights)
        return self.loss.weigh(targets, weights, self.layers[-1].dtype)

    def _make_ready(self, x) -> None:
        """Be built, and for samples of such sizes where the model leaves sizes open."""
        if not self.built:
            self.build((None, *np.shape(x)[1:]))
        if self.has_open_sizes:
            self.as_input(x[:1])

    def _targets(self, y):
        """y as the loss wants it, checked as a whole: its blocks need no check of their own."""
        if isinstance(y, (losses.Targets, losses.JointTargets)):
            return y
        y = self.grouped_labels(y)
        shapes = [(len(y), *self.layers[end].output_shape[1:]) for end in self.ends]
        return self.loss.checked(y, shapes[0] if self.outputs_as is None else shapes,
                                 self.layers[-1].dtype)

    def grouped_inputs(self, x):
        """Inputs as the model takes them: several as `Several`.

        Raises:
            ValueError: for another number of them, or other names.
        """
        return grouped(x, self.inputs_as, self.input_names)

    def grouped_labels(self, y):
        """Labels likewise: for each output, or for each that has a loss."""
        form = self.outputs_as
        if form is None or y is None or isinstance(y, Several):
            return y
        with_loss = sorted(self.loss.outputs) if self.loss is not None else []
        given = list(y) if isinstance(y, (list, tuple)) else [y]
        if not isinstance(y, dict) and len(given) == len(with_loss) < form.count:
            found: list[Any] = [None] * form.count
            for i, labels in zip(with_loss, given):
                found[i] = labels
            return Several(map(_array, found))
        return mapped(_array, grouped(y, form, self.output_names))

    def grouped_weights(self, sample_weight):
        """Sample weights likewise; a single array counts for each output."""
        if self.outputs_as is None or not isinstance(sample_weight, (list, tuple, dict)):
            return sample_weight
        return mapped(np.asarray, grouped(sample_weight, self.outputs_as, self.output_names))

    def _forward_and_loss(self, x, batch, training: bool):
        """(output, loss, whether from logits) of a batch or a block of it, without penalties."""
        output = self.forward(x, training)
        if isinstance(batch, Unweighed):
            masks = self.output_masks
            assert masks is not None, "forward makes them"
            batch = self.loss.weigh(batch.targets, batch.sample_weight, self.layers[-1].dtype,
                                    masks if self.outputs_as is not None else masks.arrays[0])
        if isinstance(self.loss, losses.JointLoss):
            makers = [self.layers[end] for end in self.ends]
            by_logits = self.loss.fuses([layer.logits_kind for layer in makers], batch,
                                        [made.shape for made in each(output)])
            seen = Several([layer.logits if fused else made for layer, fused, made
                            in zip(makers, by_logits, each(output))])
            return output, self.loss.forward(batch, seen, by_logits), by_logits
        last = self.layers[self.ends[0]]
        if self.loss.fuses(last.logits_kind, batch, output.shape):
            logits = last.logits  # there are some, or the loss would not have been fused
            return output, self.loss.forward(batch, logits, True), True  # type: ignore[arg-type]
        return output, self.loss.forward(batch, output), False

    def _learn(self, x, batch, wants_input_gradient=False):
        """(loss, output, input gradient or None) of a batch or a block, without penalties."""
        output, value, fused = self._forward_and_loss(x, batch, training=True)
        gradient, scale = self.loss.backward(), self._scale
        if scale != 1:  # of several outputs, each one's gradient
            gradient = mapped(lambda share: share * share.dtype.type(scale), gradient)
        return value, output, self.backward(gradient, fused, wants_input_gradient)

    def _penalized(self, value, gradients=False):
        """The loss with all penalties; theirs are added to the layers' gradients if asked for."""
        value = value + self.activity_penalty()
        if any([layer.regularizers for layer in self.layers]):
            layers = self.layers if self.trainable else []
            value = value + regularization.penalty(layers)
            if gradients:
                regularization.add_gradients(layers, self._scale)
        return value

    def train_step(self, x, y, sample_weight=None):
        """Forward, loss, backward, update: returns (loss, output).

        Raises:
            NonFiniteLossError: for a loss or a gradient that is not finite, in place of the update;
                the layers hold the gradients then.
        """
        batch = self._weighed(x, y, sample_weight)
        value, output = blocks.learn(self, x, batch, self._shares(len(x), True))
        value = self._penalized(value, gradients=True)
        if not self.optimizer.skips_nonfinite and not (
                math.isfinite(value) and self.optimizer.can_use(self._gradients())):
            self._refuse_step(value, x, y, sample_weight)
        self.update()
        if self._watched:
            self._keep_gradients()
        return value, output

    def _keep_gradients(self) -> None:
        """Let the layers hold gradients of their own, that no later step overwrites."""
        for layer in self.layers:
            layer.grads = {name: gradient.copy() if side_by_side.has_place(gradient) else gradient
                           for name, gradient in layer.grads.items()}

    def _shares(self, samples: int, training: bool) -> list[list[slice]]:
        """The blocks of a batch, as `parallel.split`; a single one where the loss is of all, or
        divided by how many steps of all count."""
        if self.loss.over_batch or self.has_output_masks:
            return [[slice(0, samples)]]
        return parallel.split(self, samples, training)

    def _refuse_step(self, value, x, y, sample_weight) -> NoReturn:
        """Take back what the forward pass has moved, and say what comes from where."""
        for layer in reversed(self.layers):  # a layer's last call first
            layer.take_back_statistics()
        if math.isfinite(value):
            what = nonfinite.spoiled_gradient(self)
        else:
            what = f"the loss became {losses.total_of(value)}"
        origin = nonfinite.origin(self, x, y, sample_weight)
        raise NonFiniteLossError(f"{what[0].upper()}{what[1:]}. Expected finite numbers. {origin}",
                                 float(value), origin, what)

    def update(self) -> None:
        """One step of the optimizer, by the gradients that the layers hold, then the weights'
        constraints; neither where the step is skipped."""
        stepped = self._stepped()
        if not self.optimizer.built and self.trainable_variables:
            self.optimizer.build(self.trainable_variables,
                                 [f"{layer.name}/{name}" for layer in self.layers
                                  for name in layer.trainable_params])
        self.optimizer.apply([layer.grads[name] for layer, name in stepped],
                             [layer.params[name] for layer, name in stepped])
        if self.trainable and not self.optimizer.skipped:
            constraints.apply([layer for layer in self.layers if layer.constraints and layer.grads])
            self._keep_rounded()

    def _keep_rounded(self) -> None:
        """Round weights that are kept in float16 or bfloat16, and what the optimizer remembers of
        such, to it."""
        low = [layer for layer in self.layers if layer.policy.variable in LOW]
        if not low:
            return
        kept = {id(weight): layer.policy.variable for layer in low
                for weight in layer.params.values()}
        for layer in self.layers:
            keep_rounded(layer, layer.trainable_params)
        names = {kept.get(id(weight), "float32") for weight in self.trainable_variables}
        if len(names) == 1:  # the slots of weights of several precisions are kept in float32
            for slot in self.optimizer.slots():
                slot[...] = rounded(slot, *names)

    def _stepped(self) -> list[tuple[Layer, str]]:
        """(layer, name) of each weight that a step changes: of those that are trained, all on
        which a loss or a penalty depends."""
        if not self.trainable:
            return []
        return [(layer, name) for layer in self.layers if layer.grads
                for name in layer.trainable_params if name in layer.grads]

    def _gradients(self) -> list:
        """Of each weight that a step changes, as the layers hold them."""
        return [layer.grads[name] for layer, name in self._stepped()]

    def test_step(self, x, y, sample_weight=None):
        """(loss, output) of one batch, without learning from it."""
        batch = self._weighed(x, y, sample_weight)

        if self.has_output_masks:
            output, value, _ = self._forward_and_loss(x, batch, False)
            return self._penalized(value), output
        value, output = blocks.test(self, x, batch, self._shares(len(x), False))
        return self._penalized(value), output

    def predict_step(self, x) -> list[np.ndarray]:
        """The outputs for x, block by block."""
        self._make_ready(x)
        return blocks.predict(self, x, parallel.split(self, len(x), False))

class Unweighed(NamedTuple):
    """A batch's labels and sample weights, before it is known which steps the outputs' masks leave
    out."""

    targets: Any
    sample_weight: Any


def _array(labels):
    """Labels as something with a shape to index."""
    return labels if labels is None or hasattr(labels, "shape") else np.asarray(labels)
