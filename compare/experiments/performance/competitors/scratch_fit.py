"""The NumPy network, through `fit` and `predict` as anybody would call them."""

import time

import numpy as np

from compare.experiments.execution.environment import blas_in_use
from compare.experiments.performance.cases import layer_data
from compare.experiments.performance.competitors.task import Task
from compare.inputs.datasets.pixels import Pixels, pixel_table
from scratch import parallel, plans


class ScratchFit:
    """Never imports TensorFlow."""

    def __init__(self):
        library, threads = blas_in_use()
        own = parallel.num_threads()
        self.versions = {"numpy": np.__version__, "blas": library}
        self.how = (f"fit(x, y, batch_size, epochs, verbose=0), shuffled, on NumPy "
                    f"{np.__version__} with {library}, {threads}; a batch is split over up to "
                    f"{own} thread{'s' if own > 1 else ''} of its own. The whole call is timed.")

    def training(self, case) -> Task:
        model = case.model()
        x, y = case.data()
        whole = len(x) // case.batch  # steps in an epoch over all images

        def run(steps: int) -> tuple[float, int]:
            epochs = -(-steps // whole)
            samples = -(-steps // epochs) * case.batch  # of each epoch
            began = time.perf_counter()
            model.fit(x[:samples], y[:samples], batch_size=case.batch, epochs=epochs, verbose=0)
            return time.perf_counter() - began, epochs * samples

        return Task(run)

    def predicting(self, case) -> Task:
        model = case.model()
        x, _ = case.data()

        def run(calls: int) -> tuple[float, int]:
            began = time.perf_counter()
            for _ in range(calls):
                model.predict(x, batch_size=case.batch, verbose=0)
            return time.perf_counter() - began, calls * len(x)

        return Task(run)

    def layer(self, case) -> Task:
        model = case.model()
        shares = parallel.split(model, case.batch, case.trains)
        blocks = {rows.start: [_as_layers_make_it(array[rows]) for array in layer_data(case)]
                  for slices in shares for rows in slices}

        def on_share(share: int, slices: list[slice]) -> None:
            for rows in slices:
                x, dy = blocks[rows.start]
                with plans.borrowed(model, x.shape, share) as plan:
                    plan.twin.forward(x, case.trains)
                    if case.trains:
                        plan.twin.backward(dy)

        def run(steps: int) -> tuple[float, int]:
            began = time.perf_counter()
            for _ in range(steps):
                parallel.run(shares, on_share)
            return time.perf_counter() - began, steps * case.batch

        return Task(run)

    def on_bytes(self, case, images, labels):
        model = case.model()
        table = pixel_table(255, np.float32)

        def train(steps: int) -> None:
            samples = steps * case.batch
            model.fit(Pixels(images[:samples], table), labels[:samples], batch_size=case.batch,
                      verbose=0)

        return train


def _as_layers_make_it(array: np.ndarray) -> np.ndarray:
    """The same numbers, in memory as layers of this network hand them to one another: of images
    (N, H, W, C) as (W, C, H, N), of sequences (N, L, C) as (C, L, N)."""
    order = {3: (2, 1, 0), 4: (2, 3, 1, 0)}.get(array.ndim, range(array.ndim))
    return np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))
