"""compile, fit, evaluate, predict: training as Keras spells it.

One step is forward, loss, backward (`loss_and_gradients`) and update. A step's batch is computed in
blocks, on several threads (`parallel.py`), whose gradients add up to the batch's.
"""

import math

import numpy as np

from scratch import losses, optimizers, parallel, seed
from scratch.errors import NonFiniteLossError, UnsupportedError
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
        """`compile` from such a dictionary.

        Raises:
            UnsupportedError: for losses or metrics that are weighted.
        """
        for key in ("loss_weights", "weighted_metrics"):
            if config.get(key):
                raise UnsupportedError(f"Model {self.name!r}: compile does not support "
                                       f"{key}={config[key]!r}.")
        self.compile(config["optimizer"], config["loss"], config.get("metrics"))

    def loss_and_gradients(self, x, y, wants_input_gradient=False, share=1.0):
        """One batch forward and backward, no update: (loss, output, input gradient or None).

        A cross-entropy right after a softmax is computed from the softmax's input, as in Keras.
        All gradients are multiplied by `share`, the part that these samples are of a larger batch.
        """
        output, value, fused = self.forward_and_loss(x, y, training=True)
        gradient = self.loss.backward()
        if share != 1.0:
            gradient = gradient * gradient.dtype.type(share)
        return value, output, self.backward(gradient, fused, wants_input_gradient)

    def forward_and_loss(self, x, y, training=False):
        """(output, loss, whether the loss was computed from the last softmax's input)."""
        output = self.forward(x, training)
        logits = self.layers[-1].logits
        if logits is None:
            return output, self.loss.forward(y, output), False
        return output, self.loss.forward(y, logits, from_logits=True), True

    def update(self) -> None:
        """One step of the optimizer, by the gradients that the layers hold."""
        learning = [layer for layer in self.layers if layer.trainable and self.trainable]
        self.optimizer.apply([layer.grads[name] for layer in learning for name in layer.params],
                             [weight for layer in learning for weight in layer.params.values()])

    def train_step(self, x, y):
        """Forward, loss, backward, update: returns (loss, output)."""
        shares = parallel.split(self, len(x))
        if len(shares) == len(shares[0]) == 1:
            value, output, _ = self.loss_and_gradients(x, y)
        else:
            value, output = self._learn_in_blocks(x, y, shares)
        self.update()
        return value, output

    def _learn_in_blocks(self, x, y, shares):
        """`loss_and_gradients` block by block: the layers' `grads` are the whole batch's then."""
        y = self._targets(y)

        def learn(model, blocks):
            values, outputs, total = [], [], {}
            for rows in blocks:
                share = (rows.stop - rows.start) / len(x)
                value, output, _ = model.loss_and_gradients(x[rows], y[rows], share=share)
                values.append(value * share)
                outputs.append(output)
                _add_gradients(total, model.layers)
            return sum(values), outputs, total

        values, outputs, totals = zip(*parallel.run(self, shares, learn))
        for i, layer in enumerate(self.layers):
            layer.grads = {name: sum(total[i, name] for total in totals) for name in layer.grads}
        return sum(values), np.concatenate(sum(outputs, []))

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
            if bar.enabled:
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
            value, output = self._test_step(x[start:start + batch_size], batch_y)
            totals.add(value, batch_y, output)
            bar.update(step + 1, **totals.means())
        bar.close(**totals.means())
        return totals.means() if return_dict else _unwrap(list(totals.means().values()))

    def _test_step(self, x, y):
        """(loss, output) of one batch, without learning from it."""
        def test(model, blocks):
            return [(model.forward_and_loss(x[rows], y[rows]), rows) for rows in blocks]

        results = sum(parallel.run(self, parallel.split(self, len(x)), test), [])
        value = sum(loss * ((rows.stop - rows.start) / len(x)) for (_, loss, _), rows in results)
        return value, np.concatenate([output for (output, _, _), _ in results])

    def predict(self, x, batch_size=None, verbose="auto") -> np.ndarray:
        """The outputs for all of x, computed batch by batch: (samples, ...)."""
        batch_size = _batch_size(batch_size)
        if len(x) == 0:
            raise ValueError("predict: expected at least one sample. Received: none")
        bar = ProgressBar(math.ceil(len(x) / batch_size), "Predict", enabled=bool(verbose))
        outputs = []
        for step, start in enumerate(range(0, len(x), batch_size)):
            outputs += self._forward_in_blocks(x[start:start + batch_size])
            bar.update(step + 1)
        bar.close()
        return np.concatenate(outputs)

    def _forward_in_blocks(self, x) -> list[np.ndarray]:
        """The outputs for x, block by block."""
        def forward(model, blocks):
            return [model.forward(x[rows]) for rows in blocks]

        return sum(parallel.run(self, parallel.split(self, len(x)), forward), [])

    def _require_compiled(self, action: str) -> None:
        if self.loss is None:
            raise ValueError(f"Model {self.name!r} must be compiled before {action}: "
                             "call compile(optimizer=..., loss=...).")

    def _targets(self, y):
        """y as the loss wants it, checked as a whole: its blocks need no check of their own."""
        return self.loss.checked(y, (len(y), *self.output_shape[1:]), self.layers[-1].dtype)

    def _checked(self, x, y):
        """x and y as things to index, once it is sure that they fit and that y has no wrong label.
        """
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
        return x, self._targets(y)


class Totals:
    """Running means of loss and metrics; a batch weighs by its size, so a short one is fair."""

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


def _add_gradients(total: dict, layers) -> None:
    """Add the layers' gradients to those in `total`, by (number of the layer, name)."""
    for i, layer in enumerate(layers):
        for name, gradient in layer.grads.items():
            if (i, name) in total:
                total[i, name] += gradient
            else:
                total[i, name] = gradient


def _batch_size(value) -> int:
    value = 32 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"Expected batch_size to be a positive integer. Received: {value!r}")
    return int(value)


def _unwrap(values: list):
    return values[0] if len(values) == 1 else values
