"""BLAS alone: matrix products at its full rate, until a case's arithmetic would be done."""

import time

from compare.experiments.execution.environment import blas_in_use
from compare.experiments.performance.competitors.task import Task
from compare.experiments.performance.operation_count import SGEMM_SIDE, Sgemm, multiply_adds


class Blas:
    """Takes turns like a competitor; its samples are the arithmetic of so many."""

    def __init__(self):
        import numpy as np

        library, threads = blas_in_use()
        self.versions = {"numpy": np.__version__, "blas": library}
        self.how = (f"products of float32 matrices of {SGEMM_SIDE}x{SGEMM_SIDE} by {library}, "
                    f"{threads}; as long as it takes for the multiply-adds of one sample's "
                    "convolutions and dense layers, forward and (when training) backward.")
        self._sgemm = Sgemm()

    def training(self, case) -> Task:
        needed = multiply_adds(case)  # for one sample
        sgemm = self._sgemm

        def run(steps: int) -> tuple[float, float]:
            times = max(1, round(steps * case.samples * needed / sgemm.multiply_adds))
            began = time.perf_counter()
            sgemm(times)
            return time.perf_counter() - began, times * sgemm.multiply_adds / needed

        return Task(run)

    predicting = training
