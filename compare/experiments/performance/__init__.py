"""Measures how fast this network trains: the NumPy side beside Keras, PyTorch and bare BLAS.

    from compare.experiments import performance
    result = performance.run(performance.Settings(batch_sizes=(1, 32), parts=("training",)))
    print(performance.render(result))

Reading order: settings.py (what may be chosen), cases.py (what is measured), operation_count.py
(how much work that is), competitors/ (who takes part, and how each is run), interleaving.py (a
competitor's whole job, one timed stretch at a time), memory_profile.py (its peak memory),
check_cost.py (what a check takes by the size of the network), running.py (all of them in turn),
robust_statistics.py (medians, quartiles, slopes), results.py (what comes out), tables.py and
report.py (text), json_record.py, figures.py, check_figure.py and files.py.

Importing this loads neither TensorFlow nor matplotlib.
"""

from compare.experiments.performance.report import render
from compare.experiments.performance.results import Speed
from compare.experiments.performance.running import run
from compare.experiments.performance.settings import Settings

__all__ = ["Settings", "Speed", "render", "run"]
