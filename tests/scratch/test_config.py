"""Configs to and from Keras without loss; and by name the refusal of all that is not supported."""

import json

import pytest

import scratch


def plain(config):
    """As JSON writes it: tuples are lists."""
    return json.loads(json.dumps(config))


def stacks(keras):
    """Keras models whose arguments between them take every value that scratch knows."""
    K, init = keras.layers, keras.initializers
    yield "default arguments", [
        keras.Input((6, 5, 2)), K.Conv2D(3, 2), K.ReLU(), K.MaxPooling2D(), K.Flatten(),
        K.Dense(4), K.Softmax(), K.Activation("linear")]
    yield "every argument", [
        keras.Input((9, 8, 2), name="pixels"),
        K.Conv2D(3, (2, 3), strides=(2, 1), padding="same", use_bias=False, activation="relu",
                 kernel_initializer=init.HeNormal(seed=3), name="edges", trainable=False),
        K.Activation("relu", name="on"),
        K.MaxPooling2D((3, 2), strides=(1, 2), padding="same", name="pool"),
        K.Flatten(name="row"),
        K.Dense(4, activation="softmax", use_bias=True, name="scores", bias_initializer="ones",
                kernel_initializer=init.RandomUniform(-0.1, 0.2, seed=7))]
    yield "float64", [keras.Input((4, 4, 1), dtype="float64"),
                      K.Conv2D(2, 2, dtype="float64"), K.Flatten(dtype="float64"),
                      K.Dense(3, dtype="float64")]
    yield "no input", [K.Flatten(), K.Dense(3)]
    yield "no input, float64", [K.Dense(3, dtype="float64")]
    yield "fixed batch", [keras.Input(batch_shape=(8, 5)), K.Dense(3), K.Softmax(axis=1)]
    yield "initializers", [
        keras.Input((5,)),
        *[K.Dense(2, kernel_initializer=kernel) for kernel in (
            init.Zeros(), init.Ones(), init.Constant(0.5), init.RandomNormal(1, 2, seed=3),
            init.TruncatedNormal(stddev=0.1), init.VarianceScaling(2.0, "fan_avg", "uniform"),
            init.GlorotUniform(seed=1), init.GlorotNormal(seed=2), init.HeUniform(seed=3),
            init.HeNormal(), init.LecunUniform(seed=5), init.LecunNormal(seed=6))]]


NAMES = ["default arguments", "every argument", "float64", "no input", "no input, float64",
         "fixed batch", "initializers"]


def build(keras, name):
    return keras.Sequential(dict(stacks(keras))[name], name="twin")


@pytest.mark.parametrize("name", NAMES)
def test_keras_to_scratch_to_keras_loses_nothing(keras, name):
    assert NAMES == [name for name, _ in stacks(keras)]
    config = build(keras, name).get_config()
    model = scratch.Sequential.from_config(plain(config))
    again = keras.Sequential.from_config(plain(model.get_config()))
    assert plain(again.get_config()) == plain(config)
    if model.built:
        assert [w.shape for w in model.get_weights()] == [w.shape for w in again.get_weights()]
        assert model.output_shape == again.output_shape


@pytest.mark.parametrize("name", NAMES)
def test_scratch_writes_what_keras_writes(keras, name):
    """Not only what Keras reads: less what has no meaning here, the dictionaries are the same."""
    config = plain(build(keras, name).get_config())
    ours = plain(scratch.Sequential.from_config(config).get_config())
    for layer in config["layers"]:
        layer["config"].pop("quantization_config", None)
    if name == "float64" or name == "no input, float64":
        ours["dtype"] = config["dtype"]  # the precision of the model itself, float32 in Keras
    assert ours == config


def test_a_model_built_by_its_first_batch_comes_over(keras):
    """Keras then writes that batch's size into the config; it binds nothing."""
    twin = keras.Sequential([keras.layers.Dense(3)])
    twin(keras.ops.zeros((2, 4)))
    model = scratch.Sequential.from_config(twin.get_config())
    assert model.forward([[0.0] * 4] * 7).shape == (7, 3)
    assert plain(keras.Sequential.from_config(model.get_config()).get_config()) == plain(
        twin.get_config())


@pytest.mark.parametrize("dtype", [None, "float64"])
@pytest.mark.parametrize("shape", [None, (6, 5, 2)])
def test_scratch_to_scratch(shape, dtype):
    stack = [scratch.Conv2D(3, (3, 2), strides=(1, 2), padding="same", activation="relu"),
             scratch.MaxPooling2D((2, 1)), scratch.ReLU(name="on"), scratch.Flatten(),
             scratch.Dense(4, use_bias=False, trainable=False), scratch.Softmax(axis=1),
             scratch.Activation("softmax")]
    model = scratch.Sequential([scratch.Input(shape), *stack] if shape else stack, name="m",
                               dtype=dtype, trainable=False)
    again = scratch.Sequential.from_config(plain(model.get_config()))
    assert plain(again.get_config()) == plain(model.get_config())
    assert again.dtype == model.dtype and again.built == model.built
    assert again.trainable is False


def cube(x):
    return x**3


REFUSED = {
    "activation of halves": (lambda K, k: K.Activation("glu"), "'glu'"),
    "activation": (lambda K, k: K.Dense(2, activation="sparsemax"), "'sparsemax'"),
    "regularizer": (lambda K, k: K.Dense(
        2, activity_regularizer=k.regularizers.OrthogonalRegularizer()), "Orthogonal"),
    "function as an activation": (lambda K, k: K.Dense(2, activation=cube), "cube"),
    "initializer": (lambda K, k: K.Dense(2, kernel_initializer="stft"), "STFT"),
    "bfloat16": (lambda K, k: K.GRU(2, dtype="bfloat16"), "bfloat16"),
    "mixed precision": (lambda K, k: K.GRU(2, dtype="mixed_float16"), "mixed_float16"),
    "lambda": (lambda K, k: K.Lambda(lambda x: x), "Lambda"),
    "renormalization": (lambda K, k: K.BatchNormalization(renorm=True), "renorm=True"),
    "equalized": (lambda K, k: K.Equalization(), "Equalization"),
    "recurrent layer": (lambda K, k: K.GRUCell(2), "GRUCell"),
    "adapters": (lambda K, k: K.Conv2D(2, 2, lora_rank=2), "lora_rank=2"),
    "dense adapters": (lambda K, k: K.Dense(2, lora_rank=2), "lora_rank=2"),
    "custom class": (lambda K, k: type("Gate", (K.Layer,), {}), "Gate"),
    "custom class of a known name": (lambda K, k: type("Dense", (K.Dense,), {}), "custom class"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_change_the_mathematics_is_refused_by_name(keras, case):
    make, named = REFUSED[case]
    layer = make(keras.layers, keras)
    if isinstance(layer, type):
        layer = layer(2) if layer.__name__ == "Dense" else layer()
    layer.name = "odd_one"
    config = keras.Sequential([layer]).get_config()
    with pytest.raises(ValueError) as error:
        scratch.Sequential.from_config(config)
    assert "'odd_one'" in str(error.value) and named in str(error.value)
    assert isinstance(error.value, scratch.UnsupportedError)


@pytest.mark.parametrize("stack", [
    lambda k: [k.Input((4,)), k.layers.Dense(3), k.layers.Dense(3, dtype="float64", name="b")],
    lambda k: [k.Input((4,)), k.Sequential([  # rounds what comes in
        k.Input((4,)), k.layers.Dense(3, dtype="float64", name="b")])],
])
def test_mixed_precisions_are_refused(keras, stack):
    with pytest.raises(scratch.UnsupportedError, match="one precision .*float64 from Dense 'b'"):
        scratch.Sequential.from_config(keras.Sequential(stack(keras)).get_config())


def test_a_functional_model_is_refused(keras):
    """Its layers, read as a stack, could make another network."""
    x = keras.Input((4,))
    model = keras.Model(x, [keras.layers.Dense(4)(x), keras.layers.Dense(4)(x)], name="fork")
    with pytest.raises(scratch.UnsupportedError, match="'fork' is a functional model"):
        scratch.Sequential.from_config(model.get_config())


@pytest.mark.parametrize("loss, key", [
    (lambda k: k.losses.CategoricalCrossentropy(axis=1), "axis=1"),
    (lambda k: k.losses.MeanSquaredError(reduction=None), "reduction=None"),
    (lambda k: k.losses.CTC(), "CTC"),
    (lambda k: k.losses.Dice(axis=(1, 3)), "Dice"),
])
def test_loss_settings_are_refused_by_name(keras, loss, key):
    with pytest.raises(scratch.UnsupportedError, match=key):
        scratch.losses.get(keras.losses.serialize(loss(keras)))


def test_losses_and_optimizers_come_over(keras):
    for kind in ("SparseCategoricalCrossentropy", "CategoricalCrossentropy"):
        for from_logits in (True, False):
            theirs = getattr(keras.losses, kind)(from_logits=from_logits, name="mine")
            ours = scratch.losses.get(keras.losses.serialize(theirs))
            assert type(ours).__name__ == kind and ours.from_logits is from_logits
            again = keras.losses.deserialize(scratch.losses.serialize(ours))
            assert again.get_config() == theirs.get_config()
    theirs = keras.optimizers.SGD(0.25, momentum=0.5, nesterov=True)
    ours = scratch.optimizers.get(keras.optimizers.serialize(theirs))
    again = keras.optimizers.deserialize(scratch.optimizers.serialize(ours))
    assert again.get_config() == theirs.get_config()


def test_a_scale_of_the_loss_comes_over(keras):
    theirs = keras.optimizers.SGD(0.1, loss_scale_factor=8.0)
    ours = scratch.optimizers.get(keras.optimizers.serialize(theirs))
    assert ours.loss_scale == 8.0
    again = keras.optimizers.deserialize(scratch.optimizers.serialize(ours))
    assert again.get_config() == theirs.get_config()


def test_other_optimizers_are_refused_by_name(keras):
    class Own(keras.optimizers.SGD):
        pass

    with pytest.raises(scratch.UnsupportedError, match="Own"):
        scratch.optimizers.get(keras.optimizers.serialize(Own()))


@pytest.mark.parametrize("config, named", [
    (None, "None"), ({}, "{}"), ({"name": "m"}, "'m'"), ({"layers": 3}, "3"),
    ({"layers": ["Dense"]}, "'Dense'"), ({"layers": [{"class_name": "Dense"}]}, "Dense"),
    ({"layers": [{"class_name": "Dense", "config": {"name": "d"}}]}, "'d'"),
    ({"layers": [{"class_name": "Dense", "config": {"name": "d", "units": 2, "gain": 3}}]},
     "gain=3"),
    ({"layers": [{"class_name": "Dense", "config": {"name": "d", "units": -2}}]}, "units=-2"),
])
def test_what_is_no_config_is_refused(config, named):
    with pytest.raises(ValueError) as error:
        scratch.Sequential.from_config(config)
    assert named in str(error.value)
