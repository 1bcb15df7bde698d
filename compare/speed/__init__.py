"""Measures how fast this network trains: the NumPy side beside Keras, PyTorch and bare BLAS.

    from compare import speed
    result = speed.run(speed.Settings(batch_sizes=(1, 32), parts=("training",)))
    print(speed.render(result))

Reading order: settings.py (what may be chosen), cases.py (what is measured), arithmetic.py (how
much work that is), competitors/ (who takes part, and how each is run), turns.py (a competitor's
whole job, one timed stretch at a time), memory.py (its peak memory), running.py (all of them in
turn), spread.py (medians, quartiles, slopes), results.py (what comes out), tables.py and report.py
(text), record.py (JSON), pictures.py and output.py (files).

Importing this loads neither TensorFlow nor matplotlib.
"""

from compare.speed.report import render
from compare.speed.results import Speed
from compare.speed.running import run
from compare.speed.settings import Settings

__all__ = ["Settings", "Speed", "render", "run"]
