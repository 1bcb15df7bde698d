"""From a name to two networks: the benchmark, a file, a function of somebody's own."""

import sys
import zipfile

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import benchmark_networks, twins
from tests.compare.support import examples

SHAPE = (6, 5, 2)


def assert_twins(pair, dtype="float32"):
    """The same layers, weights and settings in both, in that precision."""
    import reference

    model, twin = pair
    assert isinstance(model, scratch.Sequential) and model.dtype == dtype
    assert reference.model_dtype(twin) == dtype
    assert [type(layer).__name__ for layer in twin.layers] \
        == [twins.keras_config(model)["layers"][i + 1]["class_name"]
            for i in range(len(model.layers))]
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert theirs.dtype == dtype
        np.testing.assert_array_equal(ours, theirs)
    assert (model.loss is None) == (not twin.compiled)


@pytest.fixture(scope="module")
def saved(keras, tmp_path_factory):
    """A folder with a model file, and that model."""
    folder = tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input(SHAPE), keras.layers.Conv2D(3, (2, 3), activation="relu"),
        keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.25, momentum=0.5), "sparse_categorical_crossentropy")
    model.save(folder / "good.keras")
    return folder, model


def test_nothing_is_the_benchmark_network():
    pair = twins.pair(None)
    assert_twins(pair)
    assert pair[0].get_config() == benchmark_networks.build().get_config()
    again, other = twins.pair(None, seed=0)[0], twins.pair(None, seed=3)[0]
    np.testing.assert_array_equal(again.get_weights()[0], pair[0].get_weights()[0])
    assert not np.array_equal(other.get_weights()[0], pair[0].get_weights()[0])


def test_the_seed_is_also_that_of_the_noise_of_a_models_file(saved):
    def draws(seed):
        twins.pair(str(saved[0] / "good.keras"), seed=seed)
        noise = scratch.Dropout(0.5)
        noise.build((40,))
        return noise.forward(np.ones((2, 40)), training=True)

    np.testing.assert_array_equal(draws(3), draws(3))
    assert not np.array_equal(draws(3), draws(4))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_benchmark_network_in_either_precision(dtype):
    assert_twins(twins.pair(None, dtype), dtype)


@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
def test_a_file_gives_its_weights_and_settings(saved, dtype):
    folder, original = saved
    model, twin = twins.pair(str(folder / "good.keras"), dtype)
    assert_twins((model, twin), dtype or "float32")
    for ours, theirs in zip(model.get_weights(), original.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    assert (model.optimizer.learning_rate, model.optimizer.momentum) == (0.25, 0.5)
    rng = np.random.default_rng(0)
    report = compare.check(model, twin, rng.standard_normal((3, *SHAPE)), np.array([0, 3, 1]))
    assert report, report


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module, importable from the current folder as the command does it."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="own_model"):
        (tmp_path / f"{name}.py").write_text("import numpy as np\nimport scratch\n" + text)
        monkeypatch.delitem(sys.modules, name, raising=False)

    kept = list(sys.path)
    yield write
    sys.path[:] = kept
    sys.modules.pop("own_model", None)


OWN = """
class Dense(scratch.Dense):
    '''Named like the original, and wrong.'''
    def affine(self, x):
        return super().affine(x) + np.float32(1)

class Mine(scratch.Dense):
    pass

def build(dense):
    model = scratch.Sequential([scratch.Input((6,)), dense(4, activation="softmax", name="d")])
    model.compile(scratch.SGD(0.25), "sparse_categorical_crossentropy")
    return model

def right(): return build(scratch.Dense)
def wrong(): return build(Dense)
def mine(): return build(Mine)
def config(): return right().get_config()
def bare():
    model = scratch.Sequential([scratch.Input((6,)), scratch.Dense(4)])
    return model
"""


@pytest.mark.parametrize("name", ["right", "mine", "config", "bare"])
@pytest.mark.parametrize("dtype", [None, "float32"])
def test_a_function_may_return_a_model_or_a_config(module, name, dtype):
    module(OWN)
    assert_twins(twins.pair(f"own_model:{name}", dtype))


def test_a_function_may_return_a_keras_model(module, saved):
    module("def load():\n    import keras\n"
           f"    return keras.saving.load_model({str(saved[0] / 'good.keras')!r})\n")
    pair = twins.pair("own_model:load")
    assert_twins(pair)
    assert_twins(twins.pair("own_model:load", "float64"), "float64")


def test_a_function_may_return_both_models(module):
    module(OWN + "\ndef both(): return wrong(), right()\n")
    model, twin = twins.pair("own_model:both")
    assert type(model.layers[0]).__module__ == "own_model" and type(twin.layers[0]) is scratch.Dense
    with pytest.raises(ValueError, match="Expected no --dtype.*gives both.*Received: float64"):
        twins.pair("own_model:both", "float64")


def test_a_layer_of_ones_own_is_checked_itself_not_what_its_config_says(module):
    module(OWN)
    model, twin = twins.pair("own_model:wrong")
    x = np.random.default_rng(0).standard_normal((3, 6))
    report = compare.check(model, twin, x, np.array([0, 1, 3]))
    assert (report.first_failure.name, report.first_failure.off) == ("d output", "candidate")


def test_seeds_give_weights_to_models_that_draw_theirs(module):
    module(OWN)
    a, b, c = (twins.pair("own_model:right", seed=seed)[0].get_weights()[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize("body, said", [
    ("raise KeyError('lost')", "Expected own_model:f to return a model.*KeyError: 'lost'"),
    ("return [None]", r"pair \(it, keras_model\), for a list of layers.*Received: list alone"),
    ("return scratch.Dense", "such as Dense.*Received: the class Dense"),
    ("return None", "Expected a scratch.Sequential, a keras.Sequential.*Received: NoneType"),
    ("return 3", "Received: int"), ("return 'model.keras'", "Received: str"),
    ("return {}", "Expected a Sequential's config"),
    ("return {'layers': 3}", "Expected a Sequential's config"),
    ("return (1, 2)", "scratch.Sequential or scratch.Model, a list of layers, .* and the network.*"
     "Received: int and int"),
    ("return (scratch.Sequential(), None)", "Received: Sequential and NoneType"),
    ("return (1, 2, 3)", "Received: tuple"),
    ("return scratch.Sequential([scratch.Dense(3)])", "knows its input shape"),
    ("return scratch.Dense(3)", "told the shape of the layer's inputs"),
])
def test_functions_that_return_something_else(module, body, said):
    module(f"def f():\n    {body}\n")
    with pytest.raises(ValueError, match=f"(?s){said}"):
        twins.pair("own_model:f")


def test_keras_models_that_are_not_made_of_supported_layers(module):
    module("""
import keras
def functional():
    i = keras.Input((4,))
    return keras.Model(i, keras.layers.Dense(3)(i))
def twice():
    i, d = keras.Input((4,)), keras.layers.Dense(4, name="d")
    return keras.Model(i, d(d(i)))
class Sub(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = keras.layers.Dense(3)
    def call(self, x): return self.d(x)
def subclass(): return Sub()
def swapped(): return functional(), scratch.Sequential([scratch.Input((4,)), scratch.Dense(3)])
def norm(): return keras.Sequential([keras.Input((4,)), keras.layers.ReversibleEmbedding(
    4, 2, name="n")])
def glu(): return keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation="glu",
                                                                          name="d")])
""")
    for name, said in (("subclass", "'sub', not built: call it on a batch first"),
                       ("swapped", "Received: Functional and Sequential"),
                       ("norm", "'n' is of class ReversibleEmbedding"),
                       ("glu", "'d'.*'glu'.* is not supported")):
        with pytest.raises(ValueError, match=said):
            twins.pair(f"own_model:{name}")


@pytest.mark.parametrize("spec, said", [
    ("nowhere:f",
     "Expected a module 'nowhere' that can be imported. Received: ModuleNotFoundError"),
    ("own_model:g",
     "Expected a callable 'g' in module 'own_model'. Received: nothing of that name"),
    ("own_model:x", "Expected a callable 'x'.*Received: 3"),
    ("own_model:", "Expected module:callable. Received: 'own_model:'"), (":f", "Received: ':f'"),
    ("model.pkl", "FILE.keras or module:callable. Received: 'model.pkl'"), ("", "Received: ''"),
    ("broken:f", "Expected a module 'broken'.*SyntaxError"),
])
def test_names_of_nothing(module, spec, said):
    module("x = 3\ndef f(): return 3\n")
    module("def f(:\n", "broken")
    with pytest.raises(ValueError, match=said):
        twins.pair(spec)


def save(keras, path, *layers, loss=None, optimizer="sgd"):
    model = keras.Sequential([keras.Input(SHAPE), *layers])
    if loss:
        model.compile(optimizer, loss)
    model.save(path)
    return str(path)


def test_unsupported_layers_in_a_file_are_refused_by_name(keras, tmp_path):
    layers = keras.layers
    path = tmp_path / "m.keras"
    for layer, said in (
            (layers.Lambda(lambda x: 2 * x, name="twice"), "'twice' is a Lambda"),
            (layers.ReversibleEmbedding(4, 2, name="hide"), "'hide' is of class Rev"),
            (layers.BatchNormalization(renorm=True, name="again"), "'again'.*renorm"),
            (layers.Dense(2, activity_regularizer="orthogonal_regularizer", name="reg"),
             "'reg'.*[Oo]rthogonal"),
            (layers.RandomRotation(0.1, dtype="float16", name="half"), "'half'.*float16")):
        with pytest.raises(ValueError, match=said):
            twins.pair(save(keras, path, layer))


def test_files_that_are_no_models(keras, saved, tmp_path):
    good = (saved[0] / "good.keras").read_bytes()
    path = tmp_path / "bad.keras"
    with pytest.raises(FileNotFoundError, match="Received: .*bad.keras, which is no file"):
        twins.pair(str(path))
    for contents in (b"", b"hello", good[:1000], good[:-30], good[500:]):
        path.write_bytes(contents)
        with pytest.raises(ValueError, match="bad.keras: expected a model saved by Keras"):
            twins.pair(str(path))
    for name, text in (("other.txt", "{}"), ("config.json", "{}"), ("config.json", "[3]"),
                       ("config.json", "no json")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, text)
        with pytest.raises(ValueError, match="expected a model saved by Keras"):
            twins.pair(str(path))
    with zipfile.ZipFile(saved[0] / "good.keras") as whole, zipfile.ZipFile(path, "w") as archive:
        for name in whole.namelist():
            if name != "model.weights.h5":
                archive.writestr(name, whole.read(name))
    with pytest.raises(ValueError, match="bad.keras: expected a model saved by Keras"):
        twins.pair(str(path))
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(FileNotFoundError, match="which is no file"):
        twins.pair(str(tmp_path / "folder.keras"))


def test_the_candidate_of_a_trace_is_its_own_network_or_a_functions(module):
    module(OWN)
    x, y = examples.batch()
    trace = compare.record(examples.network("inside"), x, y)
    model = twins.golden_candidate(trace, None)
    for ours, theirs in zip(model.get_weights(), trace.weights().values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert compare.check(model, trace)
    wrong = twins.golden_candidate(trace, "own_model:wrong")
    assert type(wrong.layers[0]).__module__ == "own_model"
    module("def both(): return scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)]), None\n"
           "def none(): return None\n")
    assert len(twins.golden_candidate(trace, "own_model:both").layers) == 1
    with pytest.raises(ValueError, match="--golden runs without Keras. Received: NoneType"):
        twins.golden_candidate(trace, "own_model:none")


def test_the_candidate_of_a_trace_may_be_a_file(tmp_path):
    model = examples.network("inside")
    model.save(tmp_path / "model.keras")
    trace = compare.record(model, *examples.batch())
    read = twins.golden_candidate(trace, str(tmp_path / "model.keras"))
    assert compare.check(read, trace)
    read.layers[0].params["bias"][0] += 1
    assert not compare.check(read, trace)


def test_every_dtype_in_a_config_is_replaced():
    model = examples.network()
    config = twins.with_dtype(model.get_config(), "float64")
    assert scratch.Sequential.from_config(config).dtype == "float64"
    assert "float32" not in str(config) and "float32" in str(model.get_config())


DRAWS = """
import random
import keras
import numpy as np

def build():
    units = int(2 + 50 * random.random())
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(units)])
    model.layers[0].set_weights([np.random.standard_normal((4, 3)), np.zeros(3)])
    return model
"""


def test_the_seed_reaches_all_that_a_function_may_draw_from(keras, tmp_path, monkeypatch):
    (tmp_path / "drawing.py").write_text(DRAWS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "drawing", raising=False)
    made = [twins.pair("drawing:build", seed=seed)[0].get_weights() for seed in (3, 3, 4)]
    sys.modules.pop("drawing", None)
    assert all((a == b).all() for a, b in zip(made[0], made[1]))
    assert not (made[0][0] == made[2][0]).any()
