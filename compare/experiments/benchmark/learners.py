"""Either side behind one interface: some training steps, and predictions.

What is timed is `steps`, and it is the same work on both sides: forward, loss, backward, update,
and the predicted classes. Each is run as fast as it honestly goes: scratch with a call per step,
Keras with many steps inside one compiled function.
"""

import os
import timeit
from functools import partial

import numpy as np

from compare.experiments.execution.environment import blas_in_use
from scratch.errors import NonFiniteLossError

EVALUATION_BATCH = 32  # small enough not to raise the peak memory that training needs


class ScratchLearner:
    """The NumPy network. Never imports TensorFlow.

    Args:
        config, compile_config, weights: of the model, as its `get_config()` and so on give them.
    """

    def __init__(self, config: dict, compile_config: dict, weights: list[np.ndarray]):
        import scratch

        self.model = scratch.Sequential.from_config(config)
        self.model.compile_from_config(compile_config)
        self.model.set_weights(weights)
        self.parameters = self.model.count_params()
        self.dtype = self.model.dtype.name
        blas, threads = blas_in_use()
        self.versions = {"numpy": np.__version__, "blas": blas}
        self.how = (f"scratch: one train_step call per batch, on NumPy {np.__version__} with "
                    f"{blas}, {threads}.")

    def warm_up(self, x: np.ndarray, y: np.ndarray, short: int) -> None:
        """Nothing is compiled here."""

    def steps(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Train on x (steps, batch, ...) and y (steps, batch).

        Returns:
            (losses, correct), both (steps,): each step's loss before its update, and how many of
            its images were predicted right. The losses end with the first that is not finite.

        Raises:
            NonFiniteLossError: for a gradient that is not finite where the loss is.
        """
        step, losses, predicted = self.model.train_step, [], []
        with np.errstate(all="ignore"):  # a loss that is not finite is reported by the caller
            for batch_x, batch_y in zip(x, y):
                try:
                    loss, output = step(batch_x, batch_y)
                except NonFiniteLossError as error:
                    if np.isfinite(error.loss):
                        raise
                    losses.append(error.loss)
                    break
                losses.append(loss)
                predicted.append(output.argmax(axis=-1))
        hits = np.asarray(predicted) == y[:len(predicted)]  # (steps, batch)
        return np.asarray(losses, np.float64), hits.sum(axis=1)

    def predict(self, x) -> np.ndarray:
        """Probabilities (samples, classes) for x (samples, ...), which may be lazy."""
        with np.errstate(all="ignore"):
            return self.model.predict(x, batch_size=EVALUATION_BATCH, verbose=0)

    def weights(self) -> tuple[list[str], list[np.ndarray]]:
        """(names as 'layer/kernel', copies of the weights)."""
        pairs = [(f"{layer.name}/{name}", weight.copy())
                 for layer in self.model.layers for name, weight in layer.params.items()]
        return [name for name, _ in pairs], [weight for _, weight in pairs]

    def first_layer(self, x: np.ndarray) -> np.ndarray:
        """The output of the first layer for x (samples, ...), its activation included."""
        return np.array(self.model.layers[0].forward(x))


class KerasLearner:
    """The Keras twin. TensorFlow starts when one is made. Arguments and methods as above."""

    def __init__(self, config: dict, compile_config: dict, weights: list[np.ndarray]):
        import reference
        from reference.quiet import keras, tf

        self.model = reference.from_config(config, compile_config)
        self.model.set_weights(weights)
        self.parameters = self.model.count_params()
        self.dtype = reference.model_dtype(self.model)
        self._runners = [reference.StepRunner(self.model, jit) for jit in (False, True)]
        self.versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
        threads = tf.config.threading.get_intra_op_parallelism_threads()
        onednn = "off" if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" else "default"
        self.how = (f"Keras: {{steps}} training steps per call, inside one tf.function traced "
                    f"before the clock starts, {{xla}} XLA (the faster of the two in a trial), on "
                    f"Keras {keras.__version__} with TensorFlow {tf.__version__}, oneDNN {onednn}, "
                    f"{f'{threads} threads' if threads else 'its default of one thread per core'}.")

    def warm_up(self, x: np.ndarray, y: np.ndarray, short: int) -> None:
        """Let TensorFlow trace and compile for every shape to come; then undo what was learned.

        Both ways of running a step, with and without XLA, are tried; the faster one is kept.

        Args:
            x, y: a few batches, (steps, batch, ...) and (steps, batch).
            short: the size of an epoch's short last batch, 0 if there is none.
        """
        variables = [*self.model.variables, *self.model.optimizer.variables]
        saved = [np.array(variable.numpy()) for variable in variables]  # not a view of its memory
        seconds = []
        for runner in self._runners:
            runner.run(x[:1], y[:1])
            runner.run(x, y)
            seconds.append(min(timeit.repeat(partial(runner.run, x, y), number=1, repeat=3)))
        self._runner = self._runners[int(np.argmin(seconds))]
        if short:
            self._runner.run(x[:1, :short], y[:1, :short])
        for variable, value in zip(variables, saved, strict=True):
            variable.assign(value)
        self.model.predict_on_batch(x[0])
        self.how = self.how.format(steps=len(x),
                                   xla="with" if self._runner.jit_compile else "without")

    def steps(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        losses, correct = self._runner.run(x, y)
        return losses.astype(np.float64), correct

    def predict(self, x) -> np.ndarray:
        starts = range(0, len(x), EVALUATION_BATCH)
        return np.concatenate([self.model.predict_on_batch(x[i:i + EVALUATION_BATCH])
                               for i in starts])

    def weights(self) -> tuple[list[str], list[np.ndarray]]:
        pairs = [(f"{layer.name}/{weight.name}", np.array(weight.numpy()))
                 for layer in self.model.layers for weight in layer.weights]
        return [name for name, _ in pairs], [weight for _, weight in pairs]

    def first_layer(self, x: np.ndarray) -> np.ndarray:
        return np.array(self.model.layers[0](x))


LEARNERS: dict[str, type[ScratchLearner] | type[KerasLearner]] = {
    "scratch": ScratchLearner, "keras": KerasLearner}
