"""A teacher's file is read with one clear error for whatever is wrong with it."""

from importlib import resources

import pytest

from compare import parity
from compare.experiments.grading.exercise import Exercise, parts_of
from compare.experiments.grading.marking import rows_of
from compare.experiments.grading.running import recorded
from compare.experiments.grading.student import Student
from compare.experiments.grading.submissions import Submission, found
from tests.compare.support.submissions import EXERCISE, RIGHT, notebook


def test_what_a_file_says(tmp_path):
    path = tmp_path / "grade.py"
    path.write_text(EXERCISE)
    exercise = Exercise.load(path)
    assert exercise.title.startswith("A convolution") and exercise.total == 8
    assert (exercise.seconds, exercise.memory) == (10, 3)
    assert "keras" in exercise.forbidden and callable(exercise.candidate)


def test_the_example_of_the_guide(tmp_path):
    guide = (resources.files("compare") / "guides" / "GRADING.md").read_text()
    (tmp_path / "grade.py").write_text(guide.split("```python")[1].split("```")[0])
    exercise = Exercise.load(tmp_path / "grade.py")
    (tmp_path / "submission.py").write_text(RIGHT)
    with Student(tmp_path / "submission.py", exercise.seconds, exercise.memory,
                 exercise.forbidden) as student:
        report = parity.check(exercise.candidate(student.module()), recorded(exercise, "guide"))
    assert report and all(rows_of(item, report.rows) for item in exercise.points)


@pytest.mark.parametrize("text, said", [
    ("points = {'a': 1}\ndef reference(): pass\n", "a function candidate"),
    ("points = {'a': 1}\ndef candidate(s): pass\n", "a function reference"),
    ("def candidate(s): pass\ndef reference(): pass\n", "points as a dictionary"),
    ("points = {'a': -1}\ndef candidate(s): pass\ndef reference(): pass\n", "0 or more"),
    ("points = {'a': 1}\nseconds = 0\ndef candidate(s): pass\ndef reference(): pass\n",
     "seconds as a number above 0"),
    ("1 / 0", "a file that runs. Received: ZeroDivisionError"),
    ("import sys; sys.exit(0)", "a file that runs. Received: SystemExit")])
def test_what_is_wrong_with_it_is_said(tmp_path, text, said):
    path = tmp_path / "grade.py"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        Exercise.load(path)


@pytest.mark.parametrize("item, expected", [
    ("conv", ("conv", "")), ("backward", ("", "backward")), ("conv backward", ("conv", "backward")),
    ("my conv whole numbers", ("my conv", "whole numbers")), ("loss", ("", "loss"))])
def test_an_item_is_a_layer_a_gate_or_both(item, expected):
    assert parts_of(item) == expected


def test_submissions_are_files_notebooks_and_folders(tmp_path):
    (tmp_path / "b.py").write_text("x = 1\n")
    (tmp_path / "a.ipynb").write_text(notebook("x = 2\ny = 3\n"))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "any.py").write_text("x = 4\n")
    (tmp_path / "d").mkdir()
    (tmp_path / ".hidden.py").write_text("")
    (tmp_path / "notes.txt").write_text("")
    handed_in = found(tmp_path)
    assert [each.name for each in handed_in] == ["a", "b", "c", "d"]
    held = {}
    exec(handed_in[0].code(), held)
    assert (held["x"], held["y"]) == (2, 3)
    assert handed_in[2].code() == "x = 4\n" and "Received: none" in handed_in[3].problem
    key = handed_in[1].key
    (tmp_path / "b.py").write_text("x = 5\n")
    assert found(tmp_path)[1].key != key


def test_folders_without_submissions_are_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ValueError, match="Received"):
            found(folder)


@pytest.mark.parametrize("content", ["{}", "[1", '{"cells": [{"cell_type": "code"}]}', "[" * 10**5])
def test_a_damaged_notebook_is_refused(tmp_path, content):
    path = tmp_path / "a.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match="expected a notebook"):
        Submission("a", path).code()
