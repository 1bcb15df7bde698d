"""What is shrunk fails as it did at first, so that its test passes once the layer is mended; and it
is printed so that the mistake can be seen."""

import sys

import numpy as np
import pytest

import compare
from compare.inputs import twins
from compare.reduction import minimize, reproducer

MODULE = '''
import numpy as np
import keras
import compare


class Conv:
    """Written for 3 filters and no others."""

    def __init__(self):
        self.w, self.b = np.zeros((2, 2, 2, 3)), np.zeros(3)

    def forward(self, x):
        self.x = x
        n, h, w, _ = x.shape
        y = np.zeros((n, h - 1, w - 1, 3))
        for i in range(2):
            for j in range(2):
                y += x[:, i:i + h - 1, j:j + w - 1] @ self.w[i, j]
        return y + self.b

    def backward(self, dy):
        n, h, w, _ = dy.shape
        dx, self.dw = np.zeros(self.x.shape), np.zeros(self.w.shape)
        self.db = dy.sum((0, 1, 2)) MISTAKE
        for i in range(2):
            for j in range(2):
                self.dw[i, j] = np.tensordot(self.x[:, i:i + h, j:j + w], dy, ([0, 1, 2],) * 2)
                dx[:, i:i + h, j:j + w] += dy @ self.w[i, j].T
        return dx CROPPED


def pair():
    twin = keras.Sequential([keras.Input((6, 5, 2)), keras.layers.Conv2D(3, 2, name="conv")])
    rng = np.random.default_rng(0)
    twin.set_weights([rng.normal(size=w.shape) for w in twin.get_weights()])
    return [compare.wrap(Conv(), kernel="w", bias="b",
                         gradients={"kernel": "dw", "bias": "db"})], twin
'''


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes the module with a mistake in it, or none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(mistake="", cropped=""):
        (tmp_path / "shrunken.py").write_text(
            MODULE.replace(" MISTAKE", mistake).replace(" CROPPED", cropped))
        sys.modules.pop("shrunken", None)

    yield write
    sys.modules.pop("shrunken", None)


def smallest(tensor):
    """The smallest case of the module's layer, for one tensor."""
    model, twin = twins.pair("shrunken:pair")
    x = np.random.default_rng(1).normal(size=(4, 6, 5, 2)).astype("float32")
    report = compare.check(model, twin, x)
    row = next(row for row in report.rows if not row.passed and row.tensor == tensor)
    upstream = np.random.default_rng(2).normal(size=(4, 5, 4, 3)).astype("float32")
    found = minimize.minimize(model, compare.record(twin, x, upstream=upstream), row)
    assert found is not None
    return found


def test_the_test_turns_green_when_the_layer_is_mended(written):
    written(mistake=" + 1")
    found = smallest("bias_gradient")
    assert found.case.config["filters"] == 3  # what was written for 3 is not made smaller
    assert found.case.inputs[0].shape[0] == 1
    text = reproducer.as_test(found, "shrunken:pair")
    with pytest.raises(AssertionError, match="3 of 3 elements"):
        run(text)
    written()
    run(text)


def run(text):
    names: dict = {}
    exec(compile(text, "test_it.py", "exec"), names)
    next(value for name, value in names.items() if name.startswith("test_"))()


def test_wrong_numbers_are_marked_and_whole_ones_print_as_such(written):
    written(mistake=" * np.array([1, 2, 1])")
    said = str(reproducer.explain(smallest("bias_gradient")))
    actual = said[said.index("actual"):]
    assert "* marks what is wrong" in said and actual.count("*") == 2 and "." not in \
        actual.splitlines()[1]


def test_a_wrong_shape_prints_shapes_alone(written):
    written(cropped="[:, 1:]")
    found = smallest("input_gradient")
    said = str(reproducer.explain(found))
    assert "expected shape (1, 2, 2, 1)" in said and "actual shape (1, 1, 2, 1)" in said, said
    assert len(said.splitlines()) < 8
