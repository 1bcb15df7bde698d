"""`parity grade`: a folder of submissions, each run in a process of its own, held against Keras.

Reading order: exercise.py (what is asked for), submissions.py (what was handed in), student.py with
serving.py and remote.py (the submission's own process, and its objects as seen from here),
marking.py (one submission's points), running.py (all of them, as jobs), then report.py, page.py and
files.py.
"""

from compare.experiments.grading.exercise import Exercise
from compare.experiments.grading.report import render
from compare.experiments.grading.results import Grades, Mark
from compare.experiments.grading.running import run

__all__ = ["Exercise", "Grades", "Mark", "render", "run"]
