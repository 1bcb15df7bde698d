"""A class of submissions: each gets its points and its line, whatever the others do."""

import csv
import io
import json
from xml.etree import ElementTree

import numpy as np
import pytest

import compare
from compare.cli import main
from compare.experiments import grading
from compare.experiments.grading import files, page, report, running
from tests.compare.support.submissions import write_class

NAMES = [("ann", "right"), ("bob", "flipped"), ("cat", "no_bias"), ("dan", "hangs"),
         ("eve", "exits"), ("fay", "cheats"), ("gus", "floods"), ("hal", "prints"),
         ("=ida", "syntax")]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """(folder, config, the grades)."""
    folder = tmp_path_factory.mktemp("class")
    config = write_class(folder / "submissions", NAMES)
    grades = grading.run(folder / "submissions", config, folder / "marks", parallel=2,
                         verbose=False)
    return folder, config, grades


def points(grades):
    return {mark.name: [item.points for item in mark.items] for mark in grades.marks}


def mark_of(grades, name):
    return next(mark for mark in grades.marks if mark.name == name)


def test_points_are_for_what_holds(graded):
    found = points(graded[2])
    assert found["ann"] == [2, 3, 1, 2] and mark_of(graded[2], "ann").problem == ""
    assert found["bob"] == [2, 0, 1, 2] and found["cat"] == [2, 3, 1, 0]
    assert found["hal"] == [2, 3, 1, 2], "printing is no mistake"
    assert mark_of(graded[2], "hal").printed.strip().endswith("xxx")
    assert found["gus"] == [2, 3, 0, 2], "one layer that floods memory costs that layer"


def test_mistakes_are_named_with_their_remedy(graded):
    item = mark_of(graded[2], "bob").items[1]
    assert item.cause == "kernel-flipped" and item.remedy and "input_gradient" in item.wrong
    assert mark_of(graded[2], "cat").items[3].cause == "bias-missing"
    assert ("kernel-flipped", "conv backward", 1) in graded[2].causes()


@pytest.mark.parametrize("name, said", [
    ("dan", "took longer than 10 s"), ("eve", "ended its own process, with exit code 0"),
    ("fay", "does not allow 'keras'"), ("=ida", "SyntaxError")])
def test_what_keeps_a_submission_from_being_run_is_said(graded, name, said):
    mark = mark_of(graded[2], name)
    assert said in mark.problem and mark.points == 0
    assert said in report.feedback(mark)


@pytest.mark.long
def test_an_interrupted_run_goes_on_and_a_new_version_is_graded_anew(graded, tmp_path):
    folder, config, before = graded
    marks = folder / "marks"
    kept = {path.name: path.read_bytes() for path in marks.glob("result-*")}
    assert len(kept) == len(NAMES)
    with pytest.raises(ValueError, match="--resume"):
        grading.run(folder / "submissions", config, marks, verbose=False)
    again = grading.run(folder / "submissions", config, marks, resume=True, verbose=False)
    assert again == before
    better = folder / "submissions" / "cat" / "solution.py"
    better.write_text((folder / "submissions" / "ann.py").read_text())
    after = grading.run(folder / "submissions", config, marks, resume=True, verbose=False)
    assert points(after)["cat"] == [2, 3, 1, 2]
    assert all((marks / name).read_bytes() == content for name, content in kept.items())


def test_files_for_other_programs(graded, tmp_path):
    grades = graded[2]
    written = files.write_directory(grades, tmp_path)
    assert len(written) == 3 + len(NAMES) and all(path.is_file() for path in written)
    rows = list(csv.DictReader(io.StringIO(files.as_csv(grades))))
    assert {row["submission"] for row in rows} == {"ann", "bob", "cat", "dan", "eve", "fay", "gus",
                                                   "hal", "'=ida"}
    assert float(rows[0]["points"]) == mark_of(grades, rows[0]["submission"].lstrip("'")).points
    root = ElementTree.fromstring(files.as_junit(grades))
    assert len(root) == len(NAMES) and root.get("errors") == str(4 * 4)
    assert root.get("failures") == "3"
    result = json.loads((tmp_path / "bob.results.json").read_text())
    assert result["score"] == 5 and sum(test["max_score"] for test in result["tests"]) == 8
    assert json.loads(files.as_json(grades))["submissions"][0]["of"] == 8


def test_the_report_and_its_page(graded):
    text = grading.render(graded[2])
    assert "2 of 9 have all 8 points" in text and "4 could not be run to the end" in text
    html = page.grades_page(graded[2], {"machine": "any"})
    assert "kernel-flipped" in html and "What each submission is told" in html
    assert "<script>alert" not in html


def test_the_command(tmp_path, capsys):
    config = write_class(tmp_path / "subs", [("ann", "empty")])
    assert main(["grade", str(tmp_path / "subs"), "--config", str(config), "--junit",
                 str(tmp_path / "grades.xml")]) == 0
    assert "0 of 1 have all 8 points" in capsys.readouterr().out
    assert ElementTree.parse(tmp_path / "grades.xml").getroot().get("errors") == "4"
    for arguments, said in (([str(tmp_path / "none")], "which is none"),
                            ([str(config.parent / "subs"), "--config", "none.py"], "is no file")):
        given = arguments if "--config" in arguments else [*arguments, "--config", str(config)]
        assert main(["grade", *given]) == 2
        assert said in capsys.readouterr().err


def test_biases_of_zero_are_told_of(keras):
    layers = keras.layers
    model = keras.Sequential([keras.Input((6, 5, 2)), layers.Conv2D(3, 2, name="conv"),
                              layers.BatchNormalization(name="norm"),
                              layers.Conv2D(2, 2, bias_initializer="ones", name="other")])
    trace = compare.record(model, np.ones((2, 6, 5, 2), "float32"), gradients=False)
    assert running.of_zeros(trace) == ["conv/bias", "norm/beta"]
