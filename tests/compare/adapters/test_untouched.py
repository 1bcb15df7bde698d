"""Layers that hold by themselves, run one after the other as their owner runs them."""

import numpy as np
import pytest

import compare

X = np.random.default_rng(0).normal(size=(3, 6, 5, 2)).astype("float32")


class Conv:
    """Channels first, kernel OIHW, 'valid'."""

    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        _, _, kh, kw = self.w.shape
        h, w = x.shape[2] - kh + 1, x.shape[3] - kw + 1
        y = sum(np.einsum("nchw,fc->nfhw", x[:, :, i:i + h, j:j + w], self.w[:, :, i, j])
                for i in range(kh) for j in range(kw))
        return y + self.b[:, None, None]


class Rectifier:
    def forward(self, x):
        return np.maximum(x, 0)


class View:
    def forward(self, x):
        return x.reshape(len(x), -1)


class Dense:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        return x @ self.w + self.b


@pytest.fixture(scope="module")
def twin(keras):
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((6, 5, 2)), layers.Conv2D(4, (3, 2), name="conv"), layers.ReLU(name="relu"),
        layers.Flatten(name="flat"), layers.Dense(3, name="fc")])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.4, w.shape) for w in model.get_weights()])
    return model


def objects(twin, permuted=False, empty=False):
    kernel, bias, w, c = twin.get_weights()
    if permuted:
        w = w.reshape(4, 4, 4, 3).transpose(2, 0, 1, 3).reshape(64, 3)
    kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
    made = Conv(kernel, bias), Rectifier(), View(), Dense(w, c)
    if empty:
        for each in (made[0], made[-1]):
            each.w, each.b = np.zeros_like(each.w), np.zeros_like(each.b)
    return made


def wrapped(made, relu=True, flatten_order=None):
    conv, rectifier, view, dense = made
    first = {"data_format": "channels_first", "backward": None}
    return [compare.wrap(conv, kernel="w", kernel_layout="OIHW", bias="b", **first),
            compare.wrap(rectifier, backward=None) if relu else None,
            compare.wrap(view, flatten_order=flatten_order, **first),
            compare.wrap(dense, kernel="w", bias="b", backward=None)]


def end_to_end(report):
    return next((row for row in report.rows if row.tensor == "end to end"), None)


@pytest.mark.parametrize("relu", [True, False])
def test_a_dense_kernel_as_keras_has_it_behind_channels_first(twin, relu):
    made = objects(twin)
    h = X.transpose(0, 3, 1, 2)
    for each in made:
        h = each.forward(h)
    off = np.abs(h - twin.predict(X, verbose=0)).max()
    report = compare.check(wrapped(made, relu), twin, X)
    assert off > 0.1 and not report
    assert [row.name for row in report.rows if not row.passed] == ["network end to end"]
    assert end_to_end(report).max_abs == pytest.approx(off, rel=1e-4)
    assert report.cause.identifier == "flatten-order"
    assert "'flat' flattens its images (4, 4, 4) channel by channel, 'fc' reads" \
        in report.cause.sentence


@pytest.mark.parametrize("relu", [True, False])
def test_a_kernel_that_its_owner_has_permuted_is_right(twin, relu):
    made = objects(twin, permuted=True)
    h = X.transpose(0, 3, 1, 2)
    for each in made:
        h = each.forward(h)
    np.testing.assert_allclose(h, twin.predict(X, verbose=0), atol=1e-4)
    report = compare.check(wrapped(made, relu), twin, X)
    # by itself the dense layer gets Keras's kernel and Keras's order
    assert report and end_to_end(report).passed, report


def test_objects_without_the_networks_weights_are_not_blamed(twin):
    report = compare.check(wrapped(objects(twin, empty=True)), twin, X)
    assert report and end_to_end(report) is None
    assert "not known" in report.notes[-1] and "weights loaded" in report.notes[-1]


def test_a_kernel_permuted_otherwise_is_not_taken_for_the_networks(twin):
    made = objects(twin, permuted=True)
    made[-1].w = made[-1].w[::-1].copy()
    report = compare.check(wrapped(made), twin, X)
    assert end_to_end(report) is None and "not known" in report.notes[-1]


def test_layers_that_fit_hold_and_those_that_cannot_run_are_told(keras):
    layers = keras.layers
    twin = keras.Sequential([keras.Input((6, 5, 2)), layers.Conv2D(4, (3, 2), name="one"),
                             layers.Conv2D(2, (2, 3), name="two")])
    weights = twin.get_weights()

    def conv(kernel, bias, **more):
        return compare.wrap(Conv(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), bias),
                            kernel="w", kernel_layout="OIHW", bias="b", backward=None, **more)

    class Last(Conv):
        """Channels last."""

        def forward(self, x):
            return super().forward(x.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)

    first = conv(*weights[:2], data_format="channels_first")
    report = compare.check([first, conv(*weights[2:], data_format="channels_first")], twin, X)
    assert report and end_to_end(report).passed and end_to_end(report).shape == (3, 3, 2, 2)
    other = Last(np.ascontiguousarray(weights[2].transpose(3, 2, 0, 1)), weights[3])
    report = compare.check([first, compare.wrap(other, kernel="w", kernel_layout="OIHW", bias="b",
                                                backward=None)], twin, X)
    assert report and end_to_end(report) is None
    assert "'one' hands on the axes in another order than 'two' reads" in report.notes[-1]
    pool = compare.wrap(forward=lambda x: x[:, :2] + x[:, 1:3, :, :1], backward=None)
    twin = keras.Sequential([keras.Input((6, 5, 2)), layers.Conv2D(1, (3, 2), name="one"),
                             layers.ReLU(name="two")])
    first = conv(*twin.get_weights(), data_format="channels_first")
    report = compare.check([first, pool], twin, X)
    assert not report and end_to_end(report) is None
    assert "run one after the other, its output is of shape" in report.notes[-1]


def test_a_layer_of_scratchs_own_that_turns_axes_leaves_it_open(twin):
    layers = wrapped(objects(twin))
    layers[2] = None
    report = compare.check(layers, twin, X)
    assert report and end_to_end(report) is None


def test_the_owners_objects_stay_as_they_are(twin):
    made = objects(twin, permuted=True)
    kept = made[-1].w.copy(), made[0].w.copy()
    compare.check(wrapped(made), twin, X)
    assert np.array_equal(made[-1].w, kept[0]) and np.array_equal(made[0].w, kept[1])
    assert not hasattr(made[0], "x")
