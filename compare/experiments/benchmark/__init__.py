"""Trains a scratch network and its Keras twin side by side and says how they did.

    from compare.experiments import benchmark
    result = benchmark.run(benchmark.Settings(epochs=1, limit=2000))
    print(benchmark.render(result))

Reading order: settings.py (what may be chosen), batch_order.py (the one order of images),
learners.py (training steps on either side), training.py (a whole job: the epochs, the clock, the
test), twin_check.py (are they the same function?), running.py (all jobs in turn), results.py (what
comes out), metrics.py (accuracy and the like), learned_features.py, report.py with tables.py
(text), json_record.py, figures/ (what is drawn), page.py (HTML), files.py.

Importing this loads neither TensorFlow nor matplotlib nor scikit-learn.
"""

from compare.experiments.benchmark.report import render
from compare.experiments.benchmark.results import Benchmark, RunResult
from compare.experiments.benchmark.running import run
from compare.experiments.benchmark.settings import Settings

__all__ = ["Benchmark", "RunResult", "Settings", "render", "run"]
