"""The Keras network without `fit`: many steps inside one tf.function, on batches at hand."""

import time

import numpy as np

from compare.experiments.benchmark.batch_order import steps_per_call
from compare.experiments.performance.competitors.keras_fit import (
    compiled,
    library,
    steps_per_execution,
)
from compare.experiments.performance.competitors.task import Task
from compare.inputs.datasets.pixels import pixel_table


class KerasLoop:
    """TensorFlow starts when one is made."""

    def __init__(self):
        from reference.quiet import keras, tf

        self.versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
        self.how = (f"up to {steps_per_call(1)} training steps per call inside one tf.function, "
                    f"the compiled loss and optimizer, no jit, batches that are ready in memory "
                    f"(neither shuffled nor gathered), on {library()}.")

    def training(self, case) -> Task:
        import reference

        runner = reference.StepRunner(compiled(case, 1, jit=False))
        x, y = case.data()
        x, y = (a.reshape(-1, case.batch, *a.shape[1:]) for a in (x, y))  # (steps, batch, ...)
        at_once = min(steps_per_call(case.batch), 4 * steps_per_execution(case), len(x))

        def run(steps: int) -> tuple[float, int]:
            calls = -(-steps // at_once)  # whole ones: another length would be traced anew
            began = time.perf_counter()
            for call in range(calls):
                start = call * at_once % (len(x) - at_once + 1)
                runner.run(x[start:start + at_once], y[start:start + at_once])
            return time.perf_counter() - began, calls * at_once * case.batch

        run(at_once)
        return Task(run)

    def predicting(self, case) -> Task:
        from reference.quiet import tf

        model = compiled(case, 1, jit=False)
        x, _ = case.data()
        whole = len(x) // case.batch * case.batch
        batches = x[:whole].reshape(-1, case.batch, *x.shape[1:])  # (steps, batch, H, W, C)
        kind = tf.TensorSpec((None, *model.output_shape[1:]), model.compute_dtype)
        forward = tf.function(lambda x: tf.map_fn(lambda batch: model(batch, training=False), x,
                                                  fn_output_signature=kind), reduce_retracing=True)

        def run(calls: int) -> tuple[float, int]:
            began = time.perf_counter()
            for _ in range(calls):
                if whole:
                    forward(tf.constant(batches)).numpy()
                if whole < len(x):
                    forward(tf.constant(x[np.newaxis, whole:])).numpy()
            return time.perf_counter() - began, calls * len(x)

        run(1)
        return Task(run)

    def on_bytes(self, case, images, labels):
        import reference

        runner = reference.StepRunner(compiled(case, 1, jit=False))
        table = pixel_table(255, np.float32)
        at_once = steps_per_call(case.batch)

        def train(steps: int) -> None:
            order = np.random.default_rng(0).permutation(len(images))[:steps * case.batch]
            batches = order.reshape(steps, case.batch)
            for start in range(0, steps, at_once):
                rows = batches[start:start + at_once]  # (steps, batch)
                runner.run(table[images[rows]], labels[rows])

        return train
