"""Files that are damaged, absurd, foreign or hostile: one clear error, nothing run or changed."""

import io
import json
import warnings
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratch
from tests.draws import draws
from tests.scratch.support import graphs, spoiled
from tests.scratch.support.checks import EXAMPLES


def network():
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, 2, activation="relu", name="conv"),
        scratch.BatchNormalization(name="norm"), scratch.Flatten(), scratch.Dense(4, name="dense")],
        name="net")
    model.compile(scratch.SGD(0.1, momentum=0.5), "mean_squared_error")
    return model


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(bytes of a .keras file, bytes of a .weights.h5 file), after a few steps of training."""
    folder = tmp_path_factory.mktemp("whole")
    model = network()
    model.fit(np.ones((4, 6, 5, 2)), np.ones((4, 4)), verbose=0)
    model.save(folder / "a.keras")
    model.save_weights(folder / "a.weights.h5")
    return (folder / "a.keras").read_bytes(), (folder / "a.weights.h5").read_bytes()


def members(content: bytes) -> dict:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, contents: dict, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def edited(content: bytes, edit) -> bytes:
    """An HDF5 file after `edit(file)`."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as store:
        edit(store)
    return file.getvalue()


def assert_refused(path, load, *named, error=ValueError):
    """A ValueError that names the file; the model that was to get the weights is as it was."""
    model = network()
    before = [*model.get_weights(), *model.optimizer.variables]
    with pytest.raises(error) as raised:
        load(model, path)
    for text in (path.name, *named):
        assert text in str(raised.value), str(raised.value)
    for a, b in zip(before, [*model.get_weights(), *model.optimizer.variables], strict=True):
        np.testing.assert_array_equal(a, b)


def load_model(model, path):
    scratch.load_model(path)


def load_weights(model, path):
    model.load_weights(path)


def test_missing_files(tmp_path):
    for load in (load_model, load_weights):
        assert_refused(tmp_path / "none.keras", load, error=FileNotFoundError)
    assert_refused(tmp_path / "none.weights.h5", load_weights, error=FileNotFoundError)
    (tmp_path / "folder.keras").mkdir()
    assert_refused(tmp_path / "folder.keras", load_model, error=IsADirectoryError)


@pytest.mark.parametrize("name", ["a.npz", "a", "a.keras.zip", "a.weights.json"])
def test_other_endings_are_refused(name, tmp_path):
    for load in (load_model, load_weights):
        assert_refused(tmp_path / name, load, "to end in")


@settings(EXAMPLES, max_examples=draws(60))
@given(data=st.data(), kind=st.sampled_from([0, 1]))
def test_cut_short(data, kind, whole, tmp_path_factory):
    content = whole[kind]
    path = tmp_path_factory.mktemp("cut") / ("a.keras", "a.weights.h5")[kind]
    path.write_bytes(content[:data.draw(st.integers(0, len(content) - 1))])
    for load in (load_model, load_weights)[kind:]:
        assert_refused(path, load, "Received")


@settings(EXAMPLES, max_examples=draws(150))
@given(data=st.data(), kind=st.sampled_from([0, 1]))
def test_flipped_bytes_are_an_error_or_other_numbers(data, kind, whole, tmp_path_factory):
    """Never anything else than a ValueError, and never arrays of other shapes."""
    content = bytearray(whole[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("flip") / ("a.keras", "a.weights.h5")[kind]
    path.write_bytes(content)
    model = network()
    shapes = [w.shape for w in model.get_weights()]
    for load in (scratch.load_model, model.load_weights)[kind:]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                load(path)
        except ValueError as error:
            assert path.name in str(error)
        assert [w.shape for w in model.get_weights()] == shapes


@pytest.mark.parametrize("content", [b"", b"PK", b"\x89HDF\r\n\x1a\n", b"\x00" * 5000])
def test_no_such_file_at_all(content, tmp_path):
    for name, loads in (("a.keras", (load_model, load_weights)), ("a.weights.h5", (load_weights,))):
        (tmp_path / name).write_bytes(content)
        for load in loads:
            assert_refused(tmp_path / name, load, "Received")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_missing_member_is_named(name, whole, tmp_path):
    contents = members(whole[0])
    contents["other.txt"] = contents.pop(name)
    path = written(tmp_path / "a.keras", contents)
    assert_refused(path, load_model, f"with a member {name}", "other.txt")


def test_a_member_that_unpacks_to_far_more_than_it_holds(whole, tmp_path):
    contents = members(whole[0])
    contents["model.weights.h5"] = bytes(200_000_000)
    path = written(tmp_path / "a.keras", contents, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    for load in (load_model, load_weights):
        assert_refused(path, load, "of a size that the file can hold", "200000000")


def test_an_archive_that_is_packed_smaller_is_read(whole, tmp_path):
    path = written(tmp_path / "a.keras", members(whole[0]), zipfile.ZIP_DEFLATED)
    model = network()
    model.load_weights(path)
    for a, b in zip(scratch.load_model(path).get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("edit, named", [
    (spoiled.reshaped, "expected kernel of Dense 'dense' as real numbers of shape (60, 4)"),
    (spoiled.renamed, "'layers/dense_1'"),
    (spoiled.linked, "ExternalLink"), (spoiled.linked_group, "SoftLink"),
    (spoiled.in_another_file, "in another file"), (spoiled.huge, "(1000000, 10000000)"),
    (spoiled.as_text, "expected arrays of numbers"),
    (spoiled.as_numbers, "expected bias of Dense 'dense'"),
    (spoiled.without_bias, "expected 2 weights of Dense 'dense', ['kernel', 'bias']"),
    (spoiled.one_more, "Received: 3"), (spoiled.extra_layer, "'layers/dense_1'"),
    (spoiled.keras_2, "expected 'dense' in the file. Received none"),
    (spoiled.array_for_group, "'dense' in layers/dense to be a group"),
    (lambda s: s.move("layers", "layer"), "in a group 'layers'"),
    (spoiled.other_slots, "expected the state of the optimizer 'sgd'"),
])
def test_variables_that_are_not_the_networks(edit, named, whole, tmp_path):
    content = edited(whole[1], edit)
    path = tmp_path / "a.weights.h5"
    path.write_bytes(content)
    assert_refused(path, load_weights, named)
    contents = members(whole[0])
    contents["model.weights.h5"] = content
    archive = written(tmp_path / "a.keras", contents)
    assert_refused(archive, load_model, named)


def test_the_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    graphs.residual().save_weights(path)
    assert_refused(path, load_weights, "'layers/batch_normalization'", "'layers/conv2d_5'")


def layer_of(config, name="dense"):
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)


def made_lambda(config):
    layer_of(config).update(class_name="Lambda", config={"name": "dense", "function": {
        "class_name": "__lambda__", "config": {"value": "4wEAAAA=", "defaults": None}}})


@pytest.mark.parametrize("spoil, named", [
    (made_lambda, "'dense' is a Lambda"),
    (lambda c: layer_of(c).update(registered_name="my>Dense"), "'dense' is a custom class"),
    (lambda c: layer_of(c).update(module="my.layers"),
     "'dense' is of class Dense from 'my.layers'"),
    (lambda c: layer_of(c).update(class_name="TFSMLayer"), "'dense' is of class TFSMLayer"),
    (lambda c: layer_of(c)["config"].update(quantization_config={"bits": 4}), "'dense'"),
    (lambda c: c.update(class_name="Mine"), "class 'Mine'"),
    (lambda c: c.update(module="os"), "from 'os'"),
    (lambda c: c["compile_config"].update(loss={"class_name": "Mine", "config": {}}), "Mine"),
    (lambda c: c["compile_config"].update(optimizer={"class_name": "Mine", "config": {}}), "Mine"),
    (lambda c: c["compile_config"].update(metrics=[{"class_name": "Mine", "config": {}}]), "Mine"),
])
def test_what_is_not_keras_is_refused_by_name_and_never_run(spoil, named, whole, tmp_path):
    contents = members(whole[0])
    config = json.loads(contents["config.json"])
    spoil(config)
    contents["config.json"] = json.dumps(config)
    assert_refused(written(tmp_path / "a.keras", contents), load_model, named,
                   error=scratch.UnsupportedError)


@pytest.mark.parametrize("config", [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"class_name": "Sequential"}',
    b'{"class_name": "Sequential", "config": {"layers": 3}}',
    b'{"class_name": "Sequential", "config": {"layers": [3]}}',
    b'{"class_name": ["Sequential"], "config": {}}',
    b'{"class_name": "Functional", "config": {"layers": [], "input_layers": [], '
    b'"output_layers": []}}'])
def test_a_config_that_says_no_model(config, whole, tmp_path):
    path = written(tmp_path / "a.keras", {**members(whole[0]), "config.json": config})
    assert_refused(path, load_model)


def values_in(config, way=()):
    """The ways to all values inside a config."""
    if isinstance(config, (dict, list)):
        items = config.items() if isinstance(config, dict) else enumerate(config)
        for key, value in items:
            yield (*way, key)
            yield from values_in(value, (*way, key))


JUNK = st.sampled_from([None, True, -1, 0, 10**15, 1.5, float("nan"), "", "relu", [], [1, 2, 3], {},
                        {"class_name": "x"}, [None, 3], "float16"])


@settings(EXAMPLES, max_examples=draws(200))
@given(data=st.data(), make=st.sampled_from([network, graphs.excited]), junk=JUNK)
def test_any_value_of_a_config_replaced_by_junk(data, make, junk, tmp_path_factory):
    """The file is read as the model it still describes, or refused with a ValueError."""
    folder = tmp_path_factory.mktemp("junk")
    make().save(folder / "a.keras")
    contents = members((folder / "a.keras").read_bytes())
    config = json.loads(contents["config.json"])
    ways = list(values_in(config))
    *way, last = ways[data.draw(st.integers(0, len(ways) - 1))]
    place = config
    for key in way:
        place = place[key]
    place[last] = junk
    path = written(folder / "b.keras", {**contents, "config.json": json.dumps(config)})
    try:
        model = scratch.load_model(path)
    except ValueError as error:
        assert path.name in str(error)
    else:
        assert isinstance(model, (scratch.Sequential, scratch.Model))
