"""Tables, JSON and plots of a measurement made by hand."""

import json

import pytest
from matplotlib.image import imread

from compare.experiments.performance import files, tables
from compare.experiments.performance.cases import Case
from compare.experiments.performance.figures import pictures
from compare.experiments.performance.json_record import as_dict, as_json
from compare.experiments.performance.report import render
from tests.compare.support.performance_cases import made, row, whole


def test_times_and_ratios():
    result = whole()
    assert tables.times(result, "training").rows == [
        ["benchmark", "1", "2,000 ± 750", "8,000 ± 1,250", "500 ± 0"],
        ["wide", "100", "100 ± 0", "100 ± 0", "50.0 ± 0.0"]]
    table = tables.ratios(result, "training")
    assert table.headers == ["network", "batch", "Keras fit /\nscratch", "scratch /\nBLAS alone"]
    # pairs 3/1, 8/2, 8/4; 1/.5, 2/.5, 4/.5
    assert table.rows[0] == ["benchmark", "1", "3.0 ± 0.5", "4.0 ± 1.5"]


def test_another_base():
    result = made([row(Case("training", "benchmark", 8), keras=[2e-3], scratch=[1e-3],
                       blas=[1e-3])], competitors=("keras", "scratch"))
    table = tables.ratios(result, "training")
    assert table.headers[2:4] == ["scratch /\nKeras fit", "Keras fit /\nBLAS alone"]
    assert table.rows[0][2:4] == ["0.500 ± 0.000", "2.00 ± 0.00"]


def test_scaling_and_its_slopes():
    result = whole()
    table = tables.scaling(result, "side")
    # 16 * 16 multiply-adds for each of 4 images
    assert table.rows[2] == ["16", "0.001", "2.05 ± 0.00", "1,049 ± 0"]
    table = tables.scaling_ratios(result, "side")
    assert table.headers == ["image side (pixels)", "Keras fit /\nscratch"]
    assert table.rows[2] == ["16", "512 ± 0"]
    lines = {tuple(line[:3]): line[3:] for line in tables.slopes(result).rows}
    for points in ("all", "upper half"):
        assert lines["image side (pixels)", "scratch", points] == ["2.00", "2.00", "1.00"]
        assert lines["image side (pixels)", "Keras fit", points] == ["2.00", "4.00", "2.00"]
        assert lines["batch size", "scratch", points] == ["1.00"] * 3
    assert lines["input channels", "Keras fit", "all"] == ["1.00", "2.00", "2.00"]
    assert lines["input channels", "Keras fit", "upper half"] == ["-"] * 3


def test_one_competitor_alone_has_no_ratios():
    result = made([row(Case("scaling", "benchmark", batch, axis="batch"), scratch=[1e-3])
                   for batch in (1, 2)], competitors=("scratch",))
    assert tables.scaling_ratios(result, "batch") is None
    assert "Times as long, over" not in render(result)


def test_the_text_says_everything():
    text = " ".join(render(whole()).split())
    for said in ("Speed of training and prediction", "Training: times as long",
                 "Multiply-adds per sample: benchmark 1,000; wide 1,000.",
                 "predict over 10,000 images", "Time per training step over image side",
                 "60,000 images of 28x28", "scratch: scratch ran somehow.", "machine: a computer",
                 "Tried first, benchmark, batch 1, Keras fit: jit off 3, jit on 4 us: jit off.",
                 "scratch 0.5%, Keras fit 0.5%", "denormal"):
        assert said in text, said
    assert "PARTIAL" not in text


def test_memory_where_the_system_is_silent():
    table = tables.memory(whole())
    assert table.headers[-2:] == ["after 16\nsteps (MB)", "after 250\nsteps (MB)"]
    assert table.rows == [["scratch", "30", "80", "200", "210"], ["Keras fit", "-", "-", "-", "-"]]


def test_partial_and_absent_are_said(monkeypatch):
    monkeypatch.setattr("compare.experiments.performance.settings.has_torch", lambda: False)
    result = made([row(Case("training", "benchmark", 8), scratch=[1e-3], blas=[])],
                  competitors=("scratch", "torch"))
    result.stopped = "interrupted by Ctrl-C"
    text = render(result)
    assert text.startswith("PARTIAL (stopped early)")
    assert "PyTorch is not installed here" in text
    assert "Training: time per" not in text  # no pair was finished
    assert as_dict(result)["absent"] == ["torch"] and as_dict(result)["training"] == []


def test_json_holds_every_turn_and_figure():
    result = json.loads(as_json(whole()))
    assert result["schema"] == 1 and result["kind"] == "speed" and result["partial"] is False
    first = result["training"][0]
    keras = first["competitors"]["keras"]
    assert [turn["seconds"] for turn in keras["turns"]] == pytest.approx([0.03, 0.08, 0.08])
    assert keras["times_scratch"] == pytest.approx({"median": 3, "low": 2.5, "high": 3.5})
    assert keras["us_per_sample"]["median"] == pytest.approx(8000)
    assert first["scratch_times_blas"]["median"] == pytest.approx(4)
    assert first["multiply_adds_per_sample"] == 1000 and first["pairs"] == 3
    assert result["scaling"]["side"]["slopes"]["keras"]["time_over_arithmetic"] == pytest.approx(2)
    assert result["memory"]["scratch"]["peak"] == 210_000_000
    assert result["competitors"]["scratch"]["share_of_a_core_while_waiting"] == pytest.approx(0.005)
    assert result["settings"]["pairs"] == 3


def test_files(tmp_path):
    written = files.write_directory(whole(), tmp_path)
    names = {"speed.md", "speed.json", "speed.png", "scaling.png"}
    assert {p.name for p in written} == {p.name for p in tmp_path.iterdir()} == names
    for name in ("speed.png", "scaling.png"):
        image = imread(tmp_path / name)
        assert image.shape[0] > 500 and image[..., :3].std() > 0.05
    text = (tmp_path / "speed.md").read_text()
    assert text.startswith("# Speed of training") and "![" in text and "| benchmark" in text


def test_a_plot_without_figures_is_removed(tmp_path):
    (tmp_path / "scaling.png").write_bytes(b"of an earlier run")
    result = made([row(Case("training", "benchmark", 8), scratch=[1e-3], blas=[1e-3])],
                  competitors=("scratch",))
    files.write_directory(result, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"speed.md", "speed.json", "speed.png"}


def test_the_scaling_plot_is_logarithmic_and_tells_its_slopes():
    figure = pictures(whole())["scaling.png"].drawn
    panels = figure.get_axes()
    assert [panel.get_xlabel() for panel in panels] == ["batch size", "image side (pixels)",
                                                        "input channels"]
    for panel in panels:
        assert panel.get_xscale() == panel.get_yscale() == "log"
    texts = [text.get_text() for text in panels[1].get_legend().get_texts()]
    assert texts == ["scratch: slope 2.00", "Keras fit: slope 4.00", "multiply-adds: slope 2.00"]


def test_the_bars_are_the_medians():
    figure = pictures(whole())["speed.png"].drawn
    times, ratios = figure.get_axes()
    scratch = [bar.get_height() for bar in times.containers[0]]
    assert scratch == pytest.approx([2000, 100, 10])
    assert [text.get_text() for text in ratios.texts] == ["3.00", "1.00", "2.00"]
