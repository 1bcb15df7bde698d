"""Trains a scratch network and its Keras twin side by side and says how they did.

    from compare import benchmark
    result = benchmark.run(benchmark.Settings(epochs=1, limit=2000))
    print(benchmark.render(result))

Reading order: settings.py (what may be chosen), order.py (the one order of images), learners.py
(training steps on either side), training.py (a whole job: the epochs, the clock, the test),
twins.py (are they the same function?), worker.py (a job in a process of its own), running.py (all
jobs in turn), results.py (what comes out), figures.py (accuracy and the like), report.py with
tables.py (text), record.py (JSON), pictures/ and output.py (files).

Importing this loads neither TensorFlow nor matplotlib nor scikit-learn.
"""

from compare.benchmark.report import render
from compare.benchmark.results import Benchmark, RunResult
from compare.benchmark.running import run
from compare.benchmark.settings import Settings

__all__ = ["Benchmark", "RunResult", "Settings", "render", "run"]
