"""The pictures of a failing tensor: which tensor, which numbers, and that a PNG comes of it."""

import numpy as np
import pytest
from matplotlib.image import imread

import compare
from compare import parity
from compare.cli.debug import reference_of
from compare.evaluation.faults.injection import output
from compare.report.failing_tensor import BATCH, first_seen
from compare.report.figures import error_profile, values, writing
from compare.report.narrative import plain_words
from tests.compare.support import examples, svg_file
from tests.compare.support.faults import spoiled


def failing(**faults):
    """(the report on a network with these faults, its first failing tensor)."""
    model, twin = spoiled(examples.network("inside"), **faults), examples.network("inside")
    x, y = examples.batch()
    report = parity.check(model, twin, x, y)
    assert not report
    return report, first_seen(report.rows, *reference_of(model, twin, x, y, None))


def one_nan(layer, y, x):
    y[1, 2] = np.nan
    return y


@pytest.mark.sampled(3)
@pytest.mark.parametrize("faults, name, axes, about", [
    ({"conv": "conv2d-last-column-dropped"}, "conv output",
     ("sample", "height", "width", "channel"), BATCH),
    ({"conv": "conv2d-dk-flipped"}, "conv kernel_gradient",
     ("height", "width", "input", "output"), BATCH),
    ({"dense": "dense-bias-misses-one-unit"}, "dense output", ("sample", "feature"), BATCH),
    ({"dense": "dense-db-missing"}, "dense bias_gradient", ("channel",), BATCH),
    ({"dense": output(one_nan)}, "dense output", ("sample", "feature"), BATCH),
    ({"pool": "max-pooling2d-ties-last"}, "pool input_gradient",
     ("sample", "height", "width", "channel"), None),
], ids=lambda value: str(value) if isinstance(value, str) else None)
def test_the_tensor_and_its_pictures(tmp_path, faults, name, axes, about):
    report, found = failing(**faults)
    assert (found.row.name, found.axes) == (name, axes)
    assert report.first_failure.name == name
    assert about is None or found.about == about
    error = np.abs(found.difference)
    assert (~(error <= found.allowed)).any()
    drawn, pattern = writing.write(found, tmp_path)
    image = imread(pattern)
    assert image.ndim == 3 and min(image.shape[:2]) > 100
    assert image[..., :3].std() > 0.01, "an empty picture"
    pictures = svg_file.read(drawn).findall(".//{*}image")
    assert len(pictures) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{name.replace(' ', '-')}-{what}" for what in ("pattern.png", "values.svg")]


def test_the_difference_lies_where_it_is_drawn():
    _, found = failing(conv="conv2d-last-column-dropped")
    plane = error_profile.along(np.abs(found.difference), [1, 2])
    assert plane.shape == (4, 6)
    assert (plane[:, -1] > 0.1).all() and (plane[:, :-1] < 1e-5).all()
    part, index = values.panels(found)
    assert index[2] == 5 and part.mark[2] == 5
    assert values.panel_names(found, part, index) == ["channel 0", "channel 1", "channel 2"]
    said = values.reading(found, part, index)
    assert "Panels, line by line: channel 0 to channel 2." in said
    assert ", ".join(f"{axis} {i}" for axis, i in zip(found.axes, index)) in said


def test_panels_of_a_kernel_are_named_by_their_channels():
    _, found = failing(conv="conv2d-dk-flipped")
    part, index = values.panels(found)
    names = values.panel_names(found, part, index)
    assert names[0] == "input 0, output 0" and names[-1] == "input 1, output 2"
    assert names[part.mark[0]] == f"input {index[2]}, output {index[3]}"


def test_the_loss_is_drawn_too():
    model, twin = examples.network("inside"), examples.network("inside")
    spoiled(model, loss="loss-gradient-sum")
    x, y = examples.batch()
    report = parity.check(model, twin, x, y)
    found = first_seen(report.rows, *reference_of(model, twin, x, y, None))
    assert (found.row.name, found.axes) == ("loss gradient", ("sample", "class"))
    assert np.allclose(found.actual, 5 * found.expected)


def test_nothing_is_drawn_of_what_could_not_be_computed():
    def raises(layer, y, x):
        raise RuntimeError("no")

    _, found = failing(conv=output(raises))
    assert found is None


def test_ticks_survive_small_and_large_numbers():
    for most in (1e-30, 3e-7, 1.0, 250.0, 1e20):
        for least in (most / 1e6, most / 10):
            ticks = error_profile.signed_ticks(most, least)
            assert ticks == sorted(ticks) and 0.0 in ticks and len(ticks) <= 9
            assert least * 0.999 <= min(t for t in ticks if t > 0) <= max(ticks) <= most


# The verdict in plain words


def words(**faults):
    """On one line, however it is wrapped."""
    return " ".join(" ".join(plain_words(failing(**faults)[0].rows)).split())


def test_a_verdict_names_layer_tensor_number_and_what_is_right():
    said = words(conv="conv2d-dk-flipped")
    assert "Layer 'conv' has the wrong gradient of its kernel, on its way back." in said
    assert "yours gives" in said and "it should be" in said
    assert "the mistake is in this layer, not before it" in said
    assert "Right by themselves: relu, pool, second" in said


def test_a_verdict_of_two_layers_names_both():
    said = words(conv="conv2d-dk-flipped", dense="dense-db-missing")
    assert "Layer 'conv' has" in said
    assert "Wrong by itself, too: layer 'dense', bias_gradient" in said


def test_a_verdict_beyond_the_layers():
    x, y = examples.batch()
    model, twin = examples.network("inside"), examples.network("inside")
    spoiled(model, loss="loss-gradient-sum")
    said = plain_words(compare.check(model, twin, x, y).rows)
    assert said[0].startswith("The layers are right up to here; the loss is not: loss gradient")
    model = examples.network("inside")
    model.layers[0].kernel[0, 0, 0, 0] += 1
    said = plain_words(compare.check(model, twin, x, y).rows)
    assert said[0].startswith("The two networks do not hold the same weights")
    assert plain_words(compare.check(twin, twin, x, y).rows) == []


def test_when_the_reference_is_off_the_verdict_says_so():
    model = examples.network("inside")
    twin = spoiled(examples.network("inside"), conv="conv2d-bias-missing")
    report = compare.check(model, twin, *examples.batch())
    row = next(row for row in report.rows if not row.passed and row.gate == "forward")
    assert row.off == "reference"
    assert "the reference gives" in "\n".join(plain_words([row]))
