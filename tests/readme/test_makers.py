"""What is made of a benchmark's JSON: the text it printed, a sentence, the picture."""

import json

import numpy as np
import pytest

from compare.experiments import benchmark
from compare.experiments import performance as speed
from compare.experiments.benchmark.json_record import as_json
from compare.experiments.benchmark.results import Check
from compare.experiments.performance.json_record import as_json as speed_json
from tests.compare.support import performance_cases
from tests.compare.support.benchmark_cases import epoch, made
from tests.readme import makers, picture, restoring

LABELS = (0, 1, 2, 0, 1, 2)
ROWS = [("forward", "conv2d", 0.25), ("backward", "conv2d", 0.5), ("forward", "re_lu", 0.0),
        ("forward", "dense", 0.125), ("forward", "dense/softmax", 0.75), ("loss", "loss", 0.0625),
        ("update", "dense", 1.0), ("whole network", "conv2d", 0.9)]


def case(**settings):
    """A benchmark of two epochs, of which scratch has the faster ones."""
    right, wrong = list(LABELS), [0, 1, 2, 0, 1, 1]
    result = made([epoch(1, wrong, seconds=2.0), epoch(2, right, seconds=4.0, memory=10**8)],
                  [epoch(1, wrong, seconds=8.0), epoch(2, wrong, seconds=7.0, memory=9 * 10**8)],
                  labels=LABELS, epochs=2, **settings)
    result.check = Check(True, "Parity holds: all 8 rows agree; more follows.", "table", {
        "rows": [{"gate": gate, "layer": layer, "used": used} for gate, layer, used in ROWS]})
    result.runs["scratch"].ready.versions.update(numpy="2.9")
    result.runs["keras"].ready.versions.update(keras="3.9", tensorflow="2.99")
    return result


def record(result) -> dict:
    return json.loads(as_json(result))


@pytest.mark.parametrize("result", [
    case(), case(name="digits", fallback="no network"), made(scratch=[epoch(1, LABELS)]), made()],
    ids=["whole", "fallback", "one side only", "nothing finished"])
def test_the_json_says_all_that_was_printed(result):
    assert restoring.printed_of(record(result)) == benchmark.render(result)


def test_the_json_of_a_measurement_of_speed_says_all_that_was_printed(monkeypatch, tmp_path):
    result = performance_cases.whole()
    found = json.loads(speed_json(result))
    assert restoring.printed_of(found) == speed.render(result)
    monkeypatch.setattr(makers, "ROOT", tmp_path)
    monkeypatch.setattr(makers, "GROWTH", tmp_path / "growth.svg")
    assert makers.growth(found).endswith("(growth.svg)")
    assert makers.GROWTH.read_text(encoding="utf-8").startswith("<?xml")


def test_other_json_is_not_taken_for_a_benchmark():
    assert restoring.printed_of({"kind": "fuzz"}) is None


def test_the_sentence_has_the_figures():
    said = " ".join(makers.machine(record(case())).split())
    for part in ("a computer", "NumPy 2.9", "Keras 3.9", "TensorFlow 2.99",
                 "0.3 minutes",  # 6 and 15 seconds
                 "75.00 ms in NumPy", "187.50 ms in Keras",  # 40 steps in each epoch
                 "100 MB against 900 MB"):
        assert part in said, said


def test_a_layer_is_judged_by_its_own_worst_number_alone():
    assert picture.shares(record(case())) == {"conv2d": 0.5, "re_lu": 0.0, "dense": 0.75,
                                              "loss": 0.0625}


def test_who_is_faster_is_told():
    assert picture.times_as_fast(record(case())) == "NumPy is 2.5 times as fast"
    slow = case()
    slow.runs["scratch"].epochs[0].seconds = 26.0
    assert picture.times_as_fast(record(slow)) == "Keras is 2.0 times as fast"


def test_the_picture_is_drawn_and_the_block_tells_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "PATH", tmp_path / "parity.svg")
    monkeypatch.setattr(makers, "ROOT", tmp_path)
    block = makers.MAKERS["picture"](record(case()))
    assert block == ("![Parity holds: all 8 rows agree, the worst at 75 % of its bound. Test "
                     "accuracy after the last epoch: 1.0000 in NumPy and 0.8333 in Keras. NumPy is "
                     "2.5 times as fast per training step.](parity.svg)")
    first = (tmp_path / "parity.svg").read_bytes()
    assert b"<svg" in first and len(first) < 150_000
    makers.MAKERS["picture"](record(case()))
    assert (tmp_path / "parity.svg").read_bytes() == first, "the same figures, another file"


def test_the_panels_show_the_figures():
    layers, learning, speed = picture.figure(record(case())).axes
    np.testing.assert_allclose([bar.get_width() for bar in layers.patches], [50, 0, 75, 6.25])
    assert [text.get_text() for text in layers.get_yticklabels()] == ["conv2d", "re_lu", "dense",
                                                                      "loss"]
    np.testing.assert_allclose([line.get_ydata() for line in learning.lines if len(
        line.get_xdata()) == 2][:2], [[5 / 6, 1], [5 / 6, 5 / 6]])
    np.testing.assert_allclose([bar.get_height() for bar in speed.patches], [75, 187.5])
