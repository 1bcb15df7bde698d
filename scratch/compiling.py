"""How a model is to learn: its optimizer, its losses and its metrics, as `compile` takes them."""

import warnings
from typing import Any

import numpy as np

from scratch import joint_scores, losses, optimizers
from scratch.errors import UnsupportedError
from scratch.layers import Layer
from scratch.metrics import get as get_metric
from scratch.metrics import serialize as serialize_metric
from scratch.precision import LOW
from scratch.scores import Scores
from scratch.several import Structure
from scratch.suggestions import did_you_mean

# Arguments of Keras's `compile` that say how TensorFlow is to run, each with its usual values.
RUN_BY_TENSORFLOW: dict[str, tuple] = {
    "jit_compile": ("auto", None, False), "run_eagerly": (False, None),
    "steps_per_execution": (1, None), "auto_scale_loss": (True, None)}


class Compiling:
    """The part of `Learner` that says how to learn; its attributes are told there."""

    name: str
    layers: list[Layer]
    outputs_as: Structure | None
    mixed_masks: bool

    def __init__(self) -> None:
        # both are there before anything asks for them
        self.optimizer: optimizers.Optimizer = None  # type: ignore[assignment]
        self.loss: Any = None
        self.metrics: list = []
        self.weighted_metrics: list = []

    @property
    def dtype(self) -> np.dtype:
        """The one precision of the model."""
        raise NotImplementedError

    @property
    def policy(self):
        """The precision of those layers that ask for none of their own."""
        raise NotImplementedError

    @property
    def output_names(self) -> list[str]:
        """For each output the name of what makes it."""
        raise NotImplementedError

    def compile(self, optimizer="rmsprop", loss=None, metrics=None, weighted_metrics=None,
                loss_weights=None, **settings) -> None:
        """Choose how to train.

        Args:
            optimizer: a name such as 'adam', or an object of `scratch.optimizers`.
            loss: a name such as 'sparse_categorical_crossentropy', or an object of
                `scratch.losses`. A model of one output needs one.
            metrics: names, such as ['accuracy'], or objects of `scratch.metrics`.
            weighted_metrics: likewise; these take the sample weights into account.
            loss_weights: of a model of several outputs, which may have a loss each, in a list or a
                dictionary; metrics likewise: see `scratch.losses.joint`.
            settings: Keras's auto_scale_loss, False for no loss scaling where the model's own
                precision is mixed_float16; jit_compile, run_eagerly and steps_per_execution, which
                say how TensorFlow is to run: a warning tells that they change nothing here.

        Raises:
            UnsupportedError: for names that are not known, and for loss_weights of one output.
            ValueError: for another number of losses, weights or metrics than there are outputs.
            TypeError: for another argument.
        """
        self._disregard({key: value for key, value in settings.items()
                         if key != "auto_scale_loss"})
        if self.mixed_masks and loss is not None:
            raise UnsupportedError(f"Model {self.name!r}: compile does not support an output at "
                                   "which masks meet that are not the same.")
        if self.outputs_as is not None:
            self._compile_jointly(loss, loss_weights, metrics, weighted_metrics)
        else:
            self._compile_alone(loss, loss_weights, metrics, weighted_metrics)
        self.optimizer = self._scaling(optimizers.get(optimizer), settings)
        self.optimizer.compute_in(self.dtype)

    def _compile_alone(self, loss, loss_weights, metrics, weighted_metrics) -> None:
        """The loss and the metrics of a single output."""
        if loss_weights:
            raise UnsupportedError(f"Model {self.name!r}: compile does not support loss_weights for"
                                   " a model of one output. Give it the output in a dictionary, or"
                                   " scale the learning rate.")
        for key, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if given and not isinstance(given, (list, tuple)):
                raise UnsupportedError(f"Model {self.name!r}: expected {key} to be a list. "
                                       f"Received: {given!r}")
        if loss is None:
            raise UnsupportedError(f"Model {self.name!r}: compile needs a loss, such as "
                                   "loss='sparse_categorical_crossentropy'. Received: loss=None")
        self.loss = losses.get(loss)
        self.metrics = [get_metric(m) for m in metrics or ()]
        self.weighted_metrics = [get_metric(m) for m in weighted_metrics or ()]

    def _compile_jointly(self, loss, loss_weights, metrics, weighted_metrics) -> None:
        """A loss and metrics for each of several outputs."""
        assert self.outputs_as is not None
        form = self.outputs_as
        names = self.output_names if form.keys is None else form.order
        self.loss = losses.JointLoss(loss, loss_weights, form, names, self)
        self.metrics = joint_scores.by_output(metrics, form, names, "metrics", self)
        self.weighted_metrics = joint_scores.by_output(weighted_metrics, form, names,
                                                       "weighted_metrics", self)

    def _scaling(self, optimizer, settings: dict):
        """The optimizer; in a model of mixed_float16 one around it that scales the loss, as Keras
        has it."""
        mixed = self.policy.name == "mixed_float16" and settings.get("auto_scale_loss", True)
        if mixed and not isinstance(optimizer, optimizers.LossScaleOptimizer):
            optimizer = optimizers.LossScaleOptimizer(optimizer)
        self._require_steps_from_weights(optimizer)
        self._require_proved_steps(optimizer)
        if optimizer.loss_scale != 1 and any(layer.activity_regularizer is not None
                                             for layer in self.layers):
            raise UnsupportedError(f"Model {self.name!r} does not support a scaled loss with an "
                                   "activity_regularizer.")
        return optimizer

    def _require_steps_from_weights(self, optimizer) -> None:
        """Raises an UnsupportedError for weights that a pass overwrites and an optimizer that keeps
        its own."""
        rule = getattr(optimizer, "inner_optimizer", optimizer)
        divided = next((layer for layer in self.layers if layer.trainable and set(
            layer.moved_by_passes) - set(layer.non_trainable)), None)
        if divided is not None and isinstance(rule, optimizers.ScheduleFreeAdamW):
            raise UnsupportedError(f"{divided} does not support ScheduleFreeAdamW, which goes on "
                                   "from weights of its own, not from those that a pass has "
                                   "overwritten. Expected another optimizer.")

    def _require_proved_steps(self, optimizer) -> None:
        """Raises an UnsupportedError for weights kept in float16 or bfloat16, but by the plainest
        steps: Keras's others raise an error there, or divide by what has underflown."""
        kept = next((layer for layer in self.layers if layer.policy.variable in LOW
                     and layer.trainable_params), None)
        rule = getattr(optimizer, "inner_optimizer", optimizer)
        plain = isinstance(rule, optimizers.SGD) and not (
            rule.weight_decay or rule.clipnorm or rule.clipvalue or rule.global_clipnorm
            or rule.use_ema or rule.gradient_accumulation_steps
            or isinstance(rule.get_config()["learning_rate"], dict))
        if kept is not None and not plain:
            raise UnsupportedError(
                f"{kept} keeps its weights in {kept.policy.variable}, in which this "
                f"{type(rule).__name__} is not proved. Expected: SGD with a constant rate, without "
                f"decay, clipping, moving averages and accumulation, or a mixed precision.")

    def _disregard(self, settings: dict) -> None:
        """Warn of arguments of `compile` that change nothing, and refuse the others."""
        known = {*RUN_BY_TENSORFLOW, "optimizer", "loss", "metrics", "weighted_metrics",
                 "loss_weights"}
        for name in settings:
            if name not in RUN_BY_TENSORFLOW:
                raise TypeError(f"Model {self.name!r}: compile has no argument {name!r}."
                                f"{did_you_mean(name, known)}")
        told = [name for name, value in settings.items() if value not in RUN_BY_TENSORFLOW[name]]
        if told:
            tell, change = ("tells", "changes") if len(told) == 1 else ("tell", "change")
            warnings.warn(f"Model {self.name!r}: {', '.join(told)} {tell} TensorFlow how to run, "
                          f"and {change} nothing here.", stacklevel=3)

    def scores(self) -> Any:
        """The figures of an epoch that begins."""
        if isinstance(self.loss, losses.JointLoss):
            return joint_scores.JointScores(self.loss, self.metrics, self.weighted_metrics)
        return Scores(self.metrics, self.weighted_metrics)

    def get_compile_config(self) -> dict:
        """What `compile` was given, as Keras's `get_compile_config` writes it."""
        if self.loss is None:
            return {}
        if isinstance(self.loss, losses.JointLoss):
            form = self.loss.structure
            return {"optimizer": optimizers.serialize(self.optimizer), **self.loss.get_config(),
                    "metrics": joint_scores.serialized(self.metrics, form),
                    "weighted_metrics": joint_scores.serialized(self.weighted_metrics, form)}
        return {"optimizer": optimizers.serialize(self.optimizer),
                "loss": losses.serialize(self.loss),
                "metrics": [serialize_metric(m) for m in self.metrics],
                "weighted_metrics": [serialize_metric(m) for m in self.weighted_metrics] or None}

    def compile_from_config(self, config: dict) -> None:
        """`compile` from such a dictionary.

        Raises:
            UnsupportedError: for what `compile` does not know.
        """
        self.compile(config["optimizer"], config["loss"], config.get("metrics"),
                     config.get("weighted_metrics"), config.get("loss_weights"))

    def _require_compiled(self, action: str) -> None:
        if self.loss is None:
            raise ValueError(f"Model {self.name!r} must be compiled before {action}: "
                             "call compile(optimizer=..., loss=...).")
