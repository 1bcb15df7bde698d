"""compile, fit, evaluate, predict: training as Keras spells it.

One step is four lines, in `train_step`: forward, loss, backward, update.
"""

import math

import numpy as np

from scratch import losses, optimizers, seed
from scratch.errors import NonFiniteLossError
from scratch.history import History
from scratch.metrics import get as get_metric
from scratch.progress import ProgressBar


class Trainer:
    """The half of a model that learns. The other half gives `forward`, `backward` and `layers`."""

    def __init__(self):
        self.optimizer = None
        self.loss = None
        self.metrics: list[tuple] = []
        self.history: History | None = None

    def compile(self, optimizer, loss, metrics=None) -> None:
        """Choose how to train.

        Args:
            optimizer: 'sgd' or an `SGD`.
            loss: 'sparse_categorical_crossentropy', 'categorical_crossentropy', or such an object.
            metrics: names, such as ['accuracy'].
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = losses.get(loss)
        self.metrics = [get_metric(m) for m in metrics or ()]

    def get_compile_config(self) -> dict:
        """What `compile` was given, as Keras's `get_compile_config` writes it."""
        if self.loss is None:
            return {}
        return {"optimizer": optimizers.serialize(self.optimizer),
                "loss": losses.serialize(self.loss), "metrics": [m[0] for m in self.metrics]}

    def compile_from_config(self, config: dict) -> None:
        """`compile` from such a dictionary."""
        self.compile(config["optimizer"], config["loss"], config.get("metrics"))

    def loss_and_gradients(self, x, y, wants_input_gradient=False):
        """One batch forward and backward, no update: (loss, output, input gradient or None).

        A cross-entropy right after a softmax is computed from the softmax's input, as in Keras.
        """
        output = self.forward(x, training=True)
        logits = self.layers[-1].logits
        fused = logits is not None
        value = (self.loss.forward(y, logits, from_logits=True) if fused
                 else self.loss.forward(y, output))
        gradient = self.backward(self.loss.backward(), fused, wants_input_gradient)
        return value, output, gradient

    def update(self) -> None:
        """One step of the optimizer, by the gradients that the layers hold."""
        learning = [layer for layer in self.layers if layer.trainable]
        self.optimizer.apply([layer.grads[name] for layer in learning for name in layer.params],
                             [weight for layer in learning for weight in layer.params.values()])

    def train_step(self, x, y):
        """Forward, loss, backward, update: returns (loss, output)."""
        value, output, _ = self.loss_and_gradients(x, y)
        self.update()
        return value, output

    def train_on_batch(self, x, y, return_dict=False):
        """One step on one batch: the loss, followed by the metrics if there are any."""
        self._require_compiled("train_on_batch")
        x, y = self._checked(x, y)
        value, output = self.train_step(x, y)
        logs = {"loss": float(value), **{n: f(y, output) for n, f in self.metrics}}
        return logs if return_dict else _unwrap(list(logs.values()))

    def fit(self, x, y, batch_size=None, epochs=1, verbose="auto", validation_data=None,
            shuffle=True, initial_epoch=0) -> History:
        """Train for `epochs` passes over (x, y).

        Args:
            x: (samples, ...), an array or anything with a shape that is indexed by sample numbers.
            y: (samples,) class numbers or (samples, classes) one-hot rows.
            batch_size: samples per step, 32 by default; the last batch of an epoch may be shorter.
            verbose: 0 for silence; otherwise a progress bar on standard error.
            validation_data: (x, y) to evaluate after each epoch.
            shuffle: a new order in every epoch.

        Returns:
            A History; `history.history` has a number per epoch for each figure.

        Raises:
            ValueError: for arrays that do not fit the model or one another.
            NonFiniteLossError: as soon as a step's loss is NaN or infinite, naming the step.
        """
        self._require_compiled("fit")
        batch_size = _batch_size(batch_size)
        x, y = self._checked(x, y)
        steps = math.ceil(len(x) / batch_size)
        history = History(self, {"epochs": epochs, "steps": steps, "verbose": verbose})
        self.history = history
        for epoch in range(initial_epoch, epochs):
            order = seed.generator().permutation(len(x)) if shuffle else None
            bar = ProgressBar(steps, f"Epoch {epoch + 1}/{epochs}", enabled=bool(verbose))
            logs = self._run_epoch(x, y, batch_size, order, bar, epoch)
            if validation_data is not None:
                values = self.evaluate(*validation_data, batch_size=batch_size, verbose=0,
                                       return_dict=True)
                logs.update({f"val_{name}": value for name, value in values.items()})
            bar.close(**logs)
            history.append(epoch, logs)
        return history

    def _run_epoch(self, x, y, batch_size, order, bar, epoch) -> dict:
        totals = Totals(self.metrics)
        for step, start in enumerate(range(0, len(x), batch_size)):
            rows = slice(start, start + batch_size) if order is None \
                else order[start:start + batch_size]
            batch_y = y[rows]
            value, output = self.train_step(x[rows], batch_y)
            totals.add(value, batch_y, output)
            if not math.isfinite(value):
                raise NonFiniteLossError(
                    f"Training stopped: the loss became {value} at epoch {epoch + 1}, step "
                    f"{step + 1} of {bar.total}. Expected a finite number; a smaller learning rate "
                    f"than {self.optimizer.learning_rate:g} may help.")
            bar.update(step + 1, **totals.means())
        return totals.means()

    def evaluate(self, x, y, batch_size=None, verbose="auto", return_dict=False):
        """The mean loss and the metrics over (x, y), without learning from it."""
        self._require_compiled("evaluate")
        batch_size = _batch_size(batch_size)
        x, y = self._checked(x, y)
        totals = Totals(self.metrics)
        bar = ProgressBar(math.ceil(len(x) / batch_size), "Evaluate", enabled=bool(verbose))
        for step, start in enumerate(range(0, len(x), batch_size)):
            batch_y = y[start:start + batch_size]
            output = self.forward(x[start:start + batch_size])
            logits = self.layers[-1].logits
            value = (self.loss.forward(batch_y, output) if logits is None
                     else self.loss.forward(batch_y, logits, from_logits=True))
            totals.add(value, batch_y, output)
            bar.update(step + 1, **totals.means())
        bar.close(**totals.means())
        return totals.means() if return_dict else _unwrap(list(totals.means().values()))

    def predict(self, x, batch_size=None, verbose="auto") -> np.ndarray:
        """The outputs for all of x, computed batch by batch: (samples, ...)."""
        batch_size = _batch_size(batch_size)
        if len(x) == 0:
            raise ValueError("predict: expected at least one sample. Received: none")
        bar = ProgressBar(math.ceil(len(x) / batch_size), "Predict", enabled=bool(verbose))
        outputs = []
        for step, start in enumerate(range(0, len(x), batch_size)):
            outputs.append(self.forward(x[start:start + batch_size]))
            bar.update(step + 1)
        bar.close()
        return np.concatenate(outputs)

    def _require_compiled(self, action: str) -> None:
        if self.loss is None:
            raise ValueError(f"Model {self.name!r} must be compiled before {action}: "
                             "call compile(optimizer=..., loss=...).")

    def _checked(self, x, y):
        """x and y as things to index, once it is sure that they fit."""
        x = x if hasattr(x, "shape") else np.asarray(x)
        y = np.asarray(y)
        if not self.built:
            self.build((None, *x.shape[1:]))
        if tuple(x.shape[1:]) != self.input_shape[1:]:
            raise ValueError(f"Model {self.name!r}: expected inputs of shape {self.input_shape}. "
                             f"Received: {tuple(x.shape)}")
        if len(x) != len(y) or len(x) == 0:
            raise ValueError(f"Model {self.name!r}: expected as many labels as inputs, and at "
                             f"least one. Received: {len(x)} inputs and {len(y)} labels")
        return x, y


class Totals:
    """Running means of loss and metrics; batches weigh by their size, so a short last one is fair."""

    def __init__(self, metrics):
        self.metrics = metrics
        self.samples = 0
        self.sums = dict.fromkeys(["loss", *(name for name, _ in metrics)], 0.0)

    def add(self, loss, y, output) -> None:
        size = len(output)
        self.samples += size
        self.sums["loss"] += float(loss) * size
        for name, function in self.metrics:
            self.sums[name] += function(y, output) * size

    def means(self) -> dict[str, float]:
        return {name: total / self.samples for name, total in self.sums.items()}


def _batch_size(value) -> int:
    value = 32 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"Expected batch_size to be a positive integer. Received: {value!r}")
    return int(value)


def _unwrap(values: list):
    return values[0] if len(values) == 1 else values
