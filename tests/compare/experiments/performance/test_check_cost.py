"""What a check costs: the networks, the tables, the record and the picture."""

import json

import pytest

from compare.experiments.performance import check_cost, tables
from compare.experiments.performance.check_cost import CHECK_AXES, VALUES, CheckCase
from compare.experiments.performance.figures import pictures
from compare.experiments.performance.json_record import as_json
from compare.experiments.performance.report import render
from tests.compare.support.performance_cases import checked, whole, with_failing_check


@pytest.mark.parametrize("layers", VALUES["layers"])
def test_a_network_has_as_many_layers_as_it_says(layers):
    assert len(CheckCase(layers=layers, side=4, channels=2).model().layers) == layers


def test_along_each_axis_one_thing_grows_and_all_curves_meet_in_one_network():
    curves = check_cost.curves(5)
    for axis, cases in curves.items():
        values = [getattr(case, axis) for case in cases]
        assert values == sorted(set(values)) and len(values) == 5
        assert CheckCase() in cases
        for other in set(CHECK_AXES) - {axis}:
            assert {getattr(case, other) for case in cases} == {getattr(CheckCase(), other)}
    assert len(check_cost.different(5)) == 4 * 5 - 3


def test_few_points_are_the_small_networks():
    assert [case.layers for case in check_cost.curves(2)["layers"]] == [11, 20]


def test_a_check_is_measured_whole():
    case = CheckCase(layers=5, side=6, channels=3, batch=2)
    cost = check_cost.measured(case)
    assert cost.case == case and cost.holds and cost.seconds > 0 and cost.work > 0
    # the logits and probabilities of the last layer are judged apart
    assert cost.rows > 10 * case.layers


def test_of_several_checks_the_quickest_counts(monkeypatch):
    def taking(*seconds):
        left = list(seconds)
        monkeypatch.setattr(check_cost, "measured", lambda case: check_cost.CheckCost(
            case, left[0], left.pop(0), 1, True))
        return left

    left = taking(1.0, 0.5, 2.0, 0.1)
    assert check_cost.quickest(CheckCase()).work == 0.5 and left == [0.1], "after three"
    left = taking(7.0, 0.5)
    assert check_cost.quickest(CheckCase()).work == 7.0 and left == [0.5], "one that takes long"


def test_tables_have_a_line_for_each_network_and_tell_how_the_time_grows():
    result = checked()
    assert tables.checks(result, "layers").rows[1] == ["20", "200", "2.00", "4.00", "10.0"]
    assert tables.checks(result, "side").rows[0] == ["4", "200", "0.125", "0.250", "0.625"]
    assert tables.check_slope(result, "layers") == pytest.approx(1)
    assert tables.check_slope(result, "side") == pytest.approx(2)
    assert tables.check_slope(result, "batch") == pytest.approx(0)
    text = " ".join(render(result).split())
    assert text.startswith("The time of a check")
    for said in ("The time of a check over image side (pixels)", "20 layers, images of 16x16",
                 "grows with the layers to the power of 1.00", "machine: a computer"):
        assert said in text, said
    assert "turns" not in text and "does not hold" not in text


def test_what_is_not_finished_has_no_line_and_what_fails_is_said():
    result = with_failing_check()
    text = render(result)
    assert "over layers" in text and "over batch size" not in text
    assert "Parity does not hold for CheckCase(layers=11" in " ".join(text.split())
    assert tables.check_slope(result, "batch") is None


def test_json():
    record = json.loads(as_json(checked(2)))
    assert record["settings"]["check_points"] == 2
    side = record["check"]["side"]
    assert side["points"][1]["case"] == {"layers": 20, "side": 8, "channels": 8, "batch": 8}
    assert side["points"][1]["work"] == pytest.approx(1.0)
    assert json.loads(as_json(whole()))["check"] == {}


def test_the_picture_has_a_panel_for_each_axis():
    figure = pictures(checked())["check.png"].drawn
    assert [axes.get_xlabel() for axes in figure.axes] == list(CHECK_AXES.values())
    clock, processors, proportion = figure.axes[0].lines
    assert list(clock.get_xdata()) == list(VALUES["layers"])
    assert processors.get_ydata()[-1] == proportion.get_ydata()[-1] == pytest.approx(40)
    assert [text.get_text() for text in figure.axes[1].texts] == ["slope 2.00, upper half"]
    assert pictures(whole())["check.png"].drawn is None
