"""Keras through `fit` and `predict`, set up as well as it goes."""

import os
import time

import numpy as np

from compare.experiments.performance.cases import layer_data
from compare.experiments.performance.competitors.task import Task, fastest
from compare.experiments.performance.operation_count import multiply_adds

# of one execution: so long that what Keras does between executions no longer counts
LEAST_STEPS, MOST_STEPS = 4, 50
ENOUGH_MULTIPLY_ADDS = 2_500_000_000


def steps_per_execution(case) -> int:
    """As many as are enough, within the limits above."""
    steps = ENOUGH_MULTIPLY_ADDS // (case.batch * multiply_adds(case))
    return max(LEAST_STEPS, min(MOST_STEPS, steps))


class KerasFit:
    """TensorFlow starts when one is made."""

    def __init__(self):
        from reference.quiet import keras, tf

        self.versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
        self.how = (
            f"fit on a tf.data pipeline (shuffle, batch, gather from images in memory, prefetch), "
            f"compile(steps_per_execution={MOST_STEPS}, or fewer, down to {LEAST_STEPS}, as steps "
            f"take longer), jit_compile off and on, whichever was faster in a trial, on "
            f"{library()}. Timed from the end of the first execution of a fit to the end of its "
            f"last, so the start of a fit costs nothing. predict: the whole call on an array, one "
            f"step per execution or many, jit_compile off or on, whichever was fastest.")

    def training(self, case) -> Task:
        x, y = case.data()
        per_execution = steps_per_execution(case)
        dataset = pipeline(x, y, case.batch)

        def runner(jit: bool):
            model = compiled(case, per_execution, jit)
            return lambda steps: timed_fit(model, dataset, steps, per_execution, case.batch)

        return best_of({"jit off": lambda: runner(False), "jit on": lambda: runner(True)},
                       per_execution)

    def predicting(self, case) -> Task:
        x, _ = case.data()

        def runner(per_execution: int, jit: bool):
            model = compiled(case, per_execution, jit)

            def run(calls: int) -> tuple[float, int]:
                began = time.perf_counter()
                for _ in range(calls):
                    model.predict(x, batch_size=case.batch, verbose=0)
                return time.perf_counter() - began, calls * len(x)

            return run

        many = steps_per_execution(case)
        return best_of({"a step per execution": lambda: runner(1, False),
                        f"{many} steps": lambda: runner(many, False),
                        "a step, jit on": lambda: runner(1, True)}, 1)

    def layer(self, case) -> Task:
        return best_of({"jit off": lambda: layer_run(case, False),
                        "jit on": lambda: layer_run(case, True)}, max(1, 64 // case.batch))

    def on_bytes(self, case, images, labels):
        model = compiled(case, steps_per_execution(case), jit=False)
        dataset = pipeline(images, labels, case.batch)

        def train(steps: int) -> None:
            model.fit(dataset, steps_per_epoch=steps, verbose=0, shuffle=False)

        return train


def library() -> str:
    """Versions, oneDNN and threads of the TensorFlow in this process."""
    from reference.quiet import keras, tf

    threads = tf.config.threading.get_intra_op_parallelism_threads()
    onednn = "off" if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" else "default"
    return (f"Keras {keras.__version__} with TensorFlow {tf.__version__}, oneDNN {onednn}, "
            f"{f'{threads} threads' if threads else 'its default of one thread per core'}")


def compiled(case, per_execution: int, jit: bool):
    """The Keras twin of the case's model."""
    import reference
    from reference.quiet import keras

    source = case.model()
    model = reference.from_config(source.get_config())
    model.set_weights(source.get_weights())
    model.compile(optimizer=keras.optimizers.SGD(source.optimizer.learning_rate),
                  loss="sparse_categorical_crossentropy", metrics=["accuracy"],
                  steps_per_execution=per_execution, jit_compile=jit)
    return model


def layer_run(case, jit: bool):
    """What a `Task` runs for a layer: it alone in a tf.function, forward and, if asked for, back to
    its input and its weights."""
    import reference
    from reference.quiet import tf

    model = reference.from_config(case.model().get_config())
    layer = model.layers[-1]
    x, dy = map(tf.constant, layer_data(case))

    @tf.function(jit_compile=jit)
    def step(x, dy):
        if not case.trains:
            return layer(x, training=False)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        return tape.gradient(y, [x, *layer.trainable_variables], output_gradients=dy)

    def run(steps: int) -> tuple[float, int]:
        began = time.perf_counter()
        for _ in range(steps):
            result = step(x, dy)
        tf.nest.map_structure(lambda tensor: tensor.numpy(), result)  # waits for the last one
        return time.perf_counter() - began, steps * case.batch

    return run


def pipeline(x: np.ndarray, y: np.ndarray, batch: int):
    """Endless batches in a random order. Images that are bytes become floats batch by batch."""
    from reference.quiet import tf

    images, labels = tf.constant(x), tf.constant(y)

    def take(rows):  # (batch,) -> (batch, H, W, C), (batch,)
        taken = tf.gather(images, rows)
        if taken.dtype == tf.uint8:
            taken = tf.cast(taken, tf.float32) / 255 - 0.5
        return taken, tf.gather(labels, rows)

    rows = tf.data.Dataset.range(len(x)).shuffle(len(x)).repeat().batch(batch, drop_remainder=True)
    return rows.map(take, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def timed_fit(model, dataset, steps: int, per_execution: int, batch: int) -> tuple[float, int]:
    """(seconds, samples) of at least so many steps within one `fit`."""
    from reference.quiet import keras

    ends = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: ends.append(time.perf_counter()))
    executions = -(-steps // per_execution)
    model.fit(dataset, steps_per_epoch=(executions + 1) * per_execution, verbose=0,
              shuffle=False, callbacks=[clock])  # the pipeline shuffles
    return ends[-1] - ends[0], (len(ends) - 1) * per_execution * batch


def best_of(runners: dict, steps: int) -> Task:
    """The fastest of some variants after a trial of `steps`.

    Args:
        runners: by name, functions that make what `Task.run` is. All but the first may fail: XLA
            does not compile everything.
    """
    runs, failed = {}, ""
    for name, make in runners.items():
        try:
            run = make()
            run(steps)  # traces, compiles and warms up
            runs[name] = run
        except Exception as error:  # TensorFlow has many kinds
            if not runs:
                raise
            failed += f", {name} failed ({type(error).__name__})"
    name, tried = fastest(runs, steps)
    return Task(runs[name], f"{tried} us a sample{failed}; taken: {name}")
