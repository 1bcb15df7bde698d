"""Tables, sentences, JSON and pictures, from benchmarks made by hand."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from tabulate import tabulate_formats

from compare.document.charts.line_chart import Series
from compare.document.markup import join
from compare.experiments.benchmark import figures as figures_of_it
from compare.experiments.benchmark import render, tables
from compare.experiments.benchmark.figures import confusion, curves
from compare.experiments.benchmark.figures import images as drawn_images
from compare.experiments.benchmark.files import write_directory
from compare.experiments.benchmark.json_record import as_json
from compare.experiments.benchmark.metrics import Agreement, agreement, figures
from compare.experiments.benchmark.page import benchmark_page
from compare.experiments.benchmark.report import markdown, mcnemar_sentence, sections
from compare.experiments.benchmark.results import Check, Progress
from compare.experiments.benchmark.tables import row
from compare.inputs import benchmark_networks
from compare.inputs.datasets import Dataset
from tests.compare.support import html_cases, svg_file
from tests.compare.support.benchmark_cases import NAMES, epoch, made

LABELS = (0, 1, 2, 0, 1, 2)
OURS, THEIRS = (0, 1, 2, 0, 2, 1), (0, 1, 1, 0, 2, 0)
PICTURES = {"learning-curves.svg", "confusion.svg", "predictions.svg", "architecture.png",
            "mistakes.svg"}
OVER_EPOCHS = {"classes.svg"}  # once there are two of them
AT_THE_END = {"filters.svg", "feature-maps.svg"}  # once both sides are through


def pair(**settings):
    """One finished epoch on each side."""
    return made([epoch(1, OURS, seconds=2.0, loss=0.25)],
                [epoch(1, THEIRS, seconds=4.0, loss=0.75, memory=None)], epochs=1, **settings)


def images() -> Dataset:
    """Six test images of 9x7 that go with the labels."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (6, 9, 7, 1)).astype(np.uint8)
    y = np.array(LABELS)
    return Dataset("digits", "six images", "nowhere", x, y, x, y, NAMES)


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 2), min_size=1, max_size=40))
def test_figures_are_what_counting_gives(pairs):
    """Against counts written here; class 4 is never seen."""
    labels, predicted = np.array(pairs).T
    found = figures(labels, predicted, 5)
    assert found.accuracy == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    f1s = []
    for c in range(5):
        hits = pairs.count((c, c))
        said, true = (predicted == c).sum(), (labels == c).sum()
        assert found.support[c] == true
        assert found.precision[c] == pytest.approx(hits / said if said else 0)
        assert found.recall[c] == pytest.approx(hits / true if true else 0)
        assert found.f1[c] == pytest.approx(2 * hits / (said + true) if said + true else 0)
        assert [found.confusion[c, d] for d in range(5)] == [pairs.count((c, d)) for d in range(5)]
        if said + true:
            f1s.append(found.f1[c])
    assert found.macro_f1 == pytest.approx(np.mean(f1s))


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=40))
def test_agreement_counts(triples):
    found = agreement(*np.array(triples).T)
    assert found.images == len(triples)
    assert found.same == sum(a == b for _, a, b in triples)
    assert found.only_first_right == sum(t == a != b for t, a, b in triples)
    assert found.only_second_right == sum(t == b != a for t, a, b in triples)
    assert found.neither_right == sum(len({t, a, b}) == 3 for t, a, b in triples)


def test_main_table():
    table = tables.main(pair())
    rows = {row[0]: row[1:] for row in table.rows}
    assert table.headers == ["", "published\nNumPy", "published\nKeras", "scratch", "Keras",
                             "difference"]
    # six images tell no more than one digit; 4/6 and 3/6 differ by 1/6
    assert rows["accuracy"] == ["0.891", "0.887", "0.7", "0.5", "+0.2"]
    # F1 by hand: classes 1, 1/2, 1/2 for scratch, and 4/5, 1/2, 0 for Keras; the figures shown
    # are what is subtracted
    assert rows["macro F1"] == ["0.890", "-", "0.7", "0.4", "+0.3"]
    assert rows["training loss"] == ["-", "-", "0.250", "0.750", "-0.500"]
    assert rows["time per epoch (s)"] == ["-", "-", "2.00", "4.00", "-2.00"]
    assert rows["time per step (ms)"] == ["-", "-", "50.0", "100.0", "-50.0"]
    assert rows["parameters"] == ["-", "-", "1,234", "1,234", "0"]
    assert rows["peak memory (MB)"] == ["-", "-", "100", "-", "-"]


def test_published_figures_stand_beside_fashion_mnist_only():
    text = render(pair(name="digits", fallback="It was not there."))
    assert "published" not in text and "0.891" not in text


def test_other_settings_than_the_published_are_pointed_out():
    text = " ".join(render(pair(batch_size=32)).split())
    assert "other settings: training images 60,000 there, 40 here; epochs 3 there, 1 here; " \
           "batch size 1 there, 32 here." in text


def test_published_settings_need_no_such_note():
    result = made([epoch(i, OURS) for i in (1, 2, 3)], [epoch(i, THEIRS) for i in (1, 2, 3)])
    result.data.training_images = 60_000
    text = render(result)
    assert "other settings" not in text
    assert re.search(r"^ *3 +scratch +0\.7 +0\.891 +0\.500 +2\.00$", text, re.MULTILINE)
    assert re.search(r"^ *3 +Keras +0\.5 +0\.887 +0\.500 +2\.00$", text, re.MULTILINE)


def test_first_line_says_which_data_ran():
    assert render(pair()).startswith("Benchmark on Title of fashion-mnist\n")
    text = render(pair(name="digits", fallback="It was nowhere."))
    assert text.startswith("Benchmark on FALLBACK DATA, not Fashion-MNIST: Title of digits\n")
    assert "NOT Fashion-MNIST: It was nowhere." in text


def test_per_class_table_and_agreement():
    text = " ".join(render(pair()).split())
    found = figures(np.array(LABELS), np.array(OURS), 3)
    for i, name in enumerate(NAMES):
        assert re.search(rf"{name} 2 {found.precision[i]:.1f} ", text)
    assert "The two predict the same class for 4 of 6 test images (66.67%). Where they differ, " \
           "scratch alone is right 1 times, Keras alone 0 times, and neither 1 times." in text
    assert f"standard error of about {math.sqrt(4 / 6 * 2 / 6 / 6):.3f}" in text
    assert "scratch takes 0.50 times as long as Keras" in text


def test_a_partial_result_compares_what_both_finished():
    result = made([epoch(1, OURS), epoch(2, LABELS)], [epoch(1, THEIRS)])
    result.stopped = "interrupted by Ctrl-C"
    result.runs["keras"].take(Progress(2, 11, 40, 0.125, []))
    text = " ".join(render(result).split())
    assert text.startswith("PARTIAL (stopped early): Benchmark on")
    assert "PARTIAL: interrupted by Ctrl-C. scratch finished 2 of 3 epochs; Keras finished 1 of " \
           "3 epochs and was at step 11 of 40 of the next (mean loss so far 0.1250)." in text
    assert "Figures after epoch 1 of 3" in text
    assert tables.main(result).rows[0][3:] == ["0.7", "0.5", "+0.2"]
    assert tables.by_epoch(result).rows[2:] == [
        ["2", "scratch", "1.0", "0.888", "0.500", "2.00"], ["2", "Keras", "-", "0.887", "-", "-"]]


def test_one_side_alone_is_shown_without_a_difference():
    result = made([epoch(1, OURS)], [])
    result.stopped = "interrupted by Ctrl-C"
    assert tables.main(result).rows[0][3:] == ["0.67", "-", "-"]
    text = render(result)
    assert "predict the same class" not in text and "times as long" not in text


def test_nothing_finished_is_still_a_report():
    result = made()
    result.stopped = "interrupted by Ctrl-C"
    text = render(result)
    assert "scratch finished 0 of 3 epochs; Keras finished 0 of" in " ".join(text.split())
    assert "Results" not in text


def test_a_failed_check_is_shown_whole():
    result = made()
    result.check = Check(False, "They differ.", "gate  layer\n----  -----\nrow", {})
    result.stopped = "not the same function"
    assert "Twins: They differ." in render(result)
    assert "gate  layer\n----  -----\nrow" in render(result)
    assert "```\ngate  layer\n" in markdown(result, {})


@pytest.mark.parametrize("tablefmt", tabulate_formats)
def test_every_format_of_tabulate_shows_the_figures(tablefmt):
    text = render(pair(), tablefmt)
    assert "0.250" in text and "0.750" in text
    if tablefmt in ("github", "pipe", "latex", "html"):  # one row of headings, not two
        heading = next(line for line in text.splitlines() if "published" in line)
        assert "published NumPy" in heading


def test_markdown_tables_are_rectangles():
    text = markdown(pair(), {"a.png": "A picture"})
    assert text.startswith("# Benchmark on Title of fashion-mnist\n")
    assert "![A picture](a.png)" in text
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 2
    for block in blocks:
        assert len({line.count("|") for line in block}) == 1
        assert re.fullmatch(r"\|:-+\|(-+:\|)+", block[1])


def test_json_holds_everything():
    result = pair(seed=7)
    found = json.loads(as_json(result))
    assert found["schema"] == 1 and found["title"] == result.title and found["partial"] is False
    assert found["settings"]["seed"] == 7
    assert found["published"]["NumPy"]["accuracy"] == 0.891
    assert found["data"]["test_labels"] == list(LABELS)
    assert [layer["class_name"] for layer in found["network"]] == [
        "Input", "Conv2D", "ReLU", "Conv2D", "ReLU", "MaxPooling2D", "Flatten", "Dense"]
    ours = found["runs"]["scratch"]
    assert ours["epochs"][0]["predictions"] == list(OURS)
    assert ours["epochs"][0]["confusion"] == [[2, 0, 0], [0, 1, 1], [0, 1, 1]]
    assert ours["epochs"][0]["per_class"][1] == {"class": "bee", "images": 2, "precision": 0.5,
                                                 "recall": 0.5, "f1": 0.5}
    assert ours["epochs"][0]["ms_per_step"] == 50
    assert ours["loss_curve"] == {"steps": [40], "losses": [0.25]}
    assert found["runs"]["keras"]["epochs"][0]["peak_memory_bytes"] is None
    assert found["agreement"]["same"] == 4
    assert found["check"]["passed"] is True


def test_json_survives_odd_texts_and_numbers():
    result = made([epoch(1, OURS, loss=math.inf)], [])
    result.stopped = 'a "quote", [brackets]\nand a line break'
    found = json.loads(as_json(result), parse_constant=lambda name: pytest.fail(name))
    assert found["stopped"] == result.stopped and found["partial"] is True
    assert found["runs"]["scratch"]["epochs"][0]["training_loss"] == "inf"
    assert found["agreement"] is None


def assert_is_a_picture(path):
    if path.suffix == ".svg":
        root = svg_file.read(path)
        assert svg_file.texts(root) and root.findall(".//{*}svg[@aria-label]")
        return
    pixels = imread(path)  # a PNG, or this fails
    assert pixels.shape[0] > 300 and pixels.shape[1] > 300
    assert pixels[..., :3].std() > 0.05


def test_files_of_a_whole_benchmark(tmp_path):
    written = write_directory(pair(), images(), tmp_path)
    assert {path.name for path in written} == {"report.md", "report.json"} | PICTURES
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in written}
    for name in PICTURES:
        assert_is_a_picture(tmp_path / name)
        assert f"({name})" in (tmp_path / "report.md").read_text()
    assert json.loads((tmp_path / "report.json").read_text())["schema"] == 1


def test_what_was_learned_is_drawn_once_both_sides_are_through(tmp_path):
    result, dataset = html_cases.benchmark()
    written = {path.name for path in write_directory(result, dataset, tmp_path)}
    assert written == {"report.md", "report.json"} | PICTURES | OVER_EPOCHS | AT_THE_END
    for name in AT_THE_END:
        assert_is_a_picture(tmp_path / name)


def test_the_page_and_the_folder_show_the_same_drawings(tmp_path):
    result, dataset = html_cases.benchmark()
    write_directory(result, dataset, tmp_path)
    page = benchmark_page(result, dataset, {})
    for name, (_, _, groups) in figures_of_it.sheets(result, dataset).items():
        text = (tmp_path / name).read_text()
        assert groups
        for drawing in (drawing for group in groups for drawing in group.drawings):
            content = join([drawing.content])
            assert content and content in page and content in text, (name, drawing.label)


def test_published_accuracies_are_marked_where_all_images_were_used():
    result = pair()
    assert curves.published(result) == []
    result.data.training_images = 60_000
    numpy, keras = curves.published(result)
    assert (numpy.points, keras.points) == ([(40, 0.873)], [(40, 0.8742)])
    assert "published, NumPy" not in "".join(each.svg() for each in curves.learning_curves(result))
    for run in result.runs.values():  # one point is no curve
        run.epochs.append(replace(run.epochs[0], number=2))
    assert "published, NumPy" in curves.learning_curves(result)[-1].svg()


def test_a_single_epoch_makes_no_chart_of_a_single_point():
    result = pair()
    assert [each.heading for each in curves.learning_curves(result)] == ["Training loss"]
    assert curves.class_curves(result) == []


def test_curves_that_cover_one_another_are_shown_as_their_difference():
    result = pair()
    ours = [(1, 2.0), (2, 1.5), (3, 1.0)]
    for curve, shown in (([(x, y + 1e-6 * x) for x, y in ours], True),
                         ([(x, y + 0.1) for x, y in ours], False), (ours, True),
                         ([(1, 2.0), (2, float("nan"))], False)):
        result.runs["scratch"].curve, result.runs["keras"].curve = ours, curve
        headings = [each.heading for each in curves.learning_curves(result)]
        assert any("−" in heading for heading in headings) == shown, headings
    found = curves.differences(Series("a", ours, "first"),
                               Series("b", [(1, 1.5), (3, 1.25), (4, 0.0)], "second"))
    assert found == [(1, 0.5), (3, -0.25)]


def test_equal_confusion_matrices_have_no_empty_third():
    ours, other = np.array([[3, 1], [0, 2]]), np.array([[2, 2], [0, 2]])
    names = ["a", "b"]
    assert len(confusion.matrices({"scratch": ours, "keras": ours}, names)) == 2
    assert [each.heading for each in confusion.matrices({"scratch": ours, "keras": other}, names)
            ][2] == "scratch − Keras"


def test_the_disagreements_are_shown_from_the_surest():
    result = pair()
    result.runs["scratch"].epochs[0].confidences[:] = [0.9, 0.9, 0.5, 0.9, 0.9, 0.7]
    result.runs["keras"].epochs[0].confidences[:] = [0.9, 0.9, 0.8, 0.9, 0.9, 0.6]
    assert drawn_images.disagreements(result).tolist() == [5, 2]
    first, _ = drawn_images.tiles(result, images(), [5, 2])
    assert first.label == "test image 5: cat. ✗ scratch: bee 0.70. ✗ Keras: ant 0.60"


def test_files_of_a_partial_benchmark_do_not_mix_with_older_ones(tmp_path):
    write_directory(pair(), images(), tmp_path)
    result = made()
    result.stopped = "interrupted by Ctrl-C"
    write_directory(result, images(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "report.json",
                                                          "architecture.png"}


def test_one_sides_pictures_can_be_drawn(tmp_path):
    result = made([epoch(1, OURS)], [])
    result.stopped = "interrupted by Ctrl-C"
    written = {path.name for path in write_directory(result, images(), tmp_path)}
    drawn = PICTURES - {"predictions.svg"}  # one alone cannot disagree
    assert written == {"report.md", "report.json"} | drawn
    for name in drawn:
        assert_is_a_picture(tmp_path / name)


def test_the_network_is_described_with_shapes_and_parameters():
    layers = benchmark_networks.describe(benchmark_networks.build((9, 7, 2), classes=3))
    assert [(layer.output_shape, layer.parameters) for layer in layers] == [
        ((9, 7, 2), 0), ((9, 7, 6), 5 * 5 * 2 * 6 + 6), ((9, 7, 6), 0),
        ((9, 7, 6), 5 * 5 * 6 * 6 + 6), ((9, 7, 6), 0), ((4, 3, 6), 0), ((72,), 0),
        ((3,), 72 * 3 + 3)]
    assert layers[1].settings == "6 filters of 5x5, same"
    assert benchmark_networks.build().count_params() == 12_832


def test_sections_are_plain_text_and_tables():
    headings = [part.heading for part in sections(pair())]
    assert headings[1:] == ["Results", "Agreement", "Per class", "How it was run"]


@pytest.mark.parametrize("values, form, shown", [
    ((0.8906, 0.8953), ".3f", ["0.891", "0.895", "-0.004"]),  # -0.005 if taken before rounding
    ((0.8904, 0.8906), ".3f", ["0.890", "0.891", "-0.001"]),
    ((12832, 12832), ",d", ["12,832", "12,832", "0"]),
    ((1234.56, 234.5), ",.1f", ["1,234.6", "234.5", "+1,000.1"]),
    ((0.5, None), ".3f", ["0.500", "-", "-"])])
def test_the_difference_is_that_of_the_figures_beside_it(values, form, shown):
    assert row("name", list(values), form) == ["name", *shown]


@pytest.mark.parametrize("ours, theirs, p, said", [
    (139, 186, 0.0106, "that of Keras is the better one"),
    (186, 139, 0.0106, "that of scratch is the better one"),
    (10, 12, 0.832, "these images do not tell"), (0, 0, 1.0, "these images do not tell")])
def test_mcnemar_is_said_beside_the_counts(ours, theirs, p, said):
    """p by the definition: twice the smaller tail of fair coins."""
    found = Agreement(10_000, 10_000 - ours - theirs, ours, theirs)
    n = ours + theirs
    tail = sum(math.comb(n, k) for k in range(min(ours, theirs) + 1)) / 2 ** n
    assert found.p_value == pytest.approx(min(1.0, 2 * tail)) == pytest.approx(p, abs=5e-4)
    text = mcnemar_sentence(found)
    assert said in text and f"p = {p:.3f}"[:9] in text
