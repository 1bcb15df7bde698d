"""Somebody's own classes and functions in configs and files: given by name, never imported."""

import io
import json
import zipfile

import keras
import numpy as np
import pytest

import scratch
from scratch.custom_objects import custom_object_scope


class Halved(scratch.layers.Layer):
    """Divides by two, or by what its config says."""

    def __init__(self, by=2, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def forward(self, x, training=False):
        return x / self.by

    def backward(self, dy, wants_input_gradient=True):
        return dy / self.by


@keras.saving.register_keras_serializable("mine")
class Divided(keras.layers.Layer):
    def __init__(self, by=2, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, x):
        return x / self.by

    def get_config(self):
        return {**super().get_config(), "by": self.by}


@keras.saving.register_keras_serializable("mine")
def cubed(x):
    return x ** 3


CUBED = (lambda z: z ** 3, lambda dy, z, y: dy * 3 * z ** 2)


def model():
    made = keras.Sequential([keras.Input((4, 3)), Divided(4, name="own"),
                             keras.layers.Dense(2, activation=cubed),
                             keras.layers.Lambda(lambda x: x + 1, name="more")], name="net")
    made.compile("sgd", "mean_squared_error")
    return made


OBJECTS = {"mine>Divided": Halved, "cubed": CUBED,
           "more": (lambda z: z + 1, lambda dy, z, y: dy)}
X = np.random.default_rng(0).normal(size=(5, 4, 3)).astype("float32")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "net.keras"
    keras_model = model()
    keras_model.save(path)
    return path, keras_model.predict(X, verbose=0)


def test_a_file_is_read_with_what_was_given(saved):
    path, expected = saved
    loaded = scratch.load_model(path, custom_objects=OBJECTS)
    np.testing.assert_allclose(loaded(X), expected, rtol=1e-5, atol=1e-6)
    again = scratch.clone_model(loaded)
    again.set_weights(loaded.get_weights())
    np.testing.assert_array_equal(again(X), loaded(X))
    assert loaded.get_config()["layers"][1]["registered_name"] == "mine>Divided"
    # going on training changes the weights by the given gradient
    loaded.train_on_batch(X, np.zeros((5, 4, 2), "float32"))
    assert not np.array_equal(loaded.get_weights()[0], again.get_weights()[0])


def test_the_class_alone_names_it_too(saved):
    named = {**OBJECTS, "Divided": Halved}
    del named["mine>Divided"]
    scratch.load_model(saved[0], custom_objects=named)
    with custom_object_scope(named):
        scratch.load_model(saved[0])


@pytest.mark.parametrize("missing, said", [
    ("mine>Divided", r"custom_objects=\{'mine>Divided': class\}"),
    ("cubed", r"custom_objects=\{'mine>cubed': \(function, gradient\)\}"),
    ("more", r"by the layer's name: custom_objects=\{'more': \(function, gradient\)\}")])
def test_what_is_missing_is_asked_for_in_a_way_that_works(missing, said, saved):
    given = {name: value for name, value in OBJECTS.items() if name != missing}
    with pytest.raises(scratch.UnsupportedError, match=said) as caught:
        scratch.load_model(saved[0], custom_objects=given)
    assert len(str(caught.value)) < 400  # and no function's code in it


@pytest.mark.parametrize("value", [None, 3, "cubed", (abs,), (abs, 3), abs])
def test_what_is_given_is_of_a_known_kind(value):
    with pytest.raises(TypeError, match="custom_objects"):
        scratch.model_from_config({}, custom_objects={"x": value})


def test_a_class_that_is_no_layer_and_one_with_other_arguments(saved):
    with pytest.raises(ValueError, match="derived from scratch.layers.Layer"):
        scratch.load_model(saved[0], custom_objects={**OBJECTS, "mine>Divided": dict})

    class Other(Halved):
        def __init__(self, **kwargs):
            super().__init__(**{key: value for key, value in kwargs.items() if key != "name"})
            raise TypeError("got an unexpected keyword argument 'by'")

    with pytest.raises(ValueError, match="Other 'own': expected a class that is made with"):
        scratch.load_model(saved[0], custom_objects={**OBJECTS, "mine>Divided": Other})


def test_a_layer_of_keras_is_not_replaced(saved):
    loaded = scratch.load_model(saved[0], custom_objects={**OBJECTS, "Dense": Halved})
    assert type(loaded.layers[1]) is scratch.layers.Dense


def test_other_objects_of_a_file_are_still_refused(saved, tmp_path):
    """What is given for one name opens the door to no other."""
    with zipfile.ZipFile(saved[0]) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][2]["config"]["kernel_initializer"] = {
        "module": "os", "class_name": "system", "config": {}, "registered_name": "x>system"}
    members["config.json"] = json.dumps(config).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    path = tmp_path / "other.keras"
    path.write_bytes(file.getvalue())
    with pytest.raises(scratch.UnsupportedError, match="system"):
        scratch.load_model(path, custom_objects=OBJECTS)
