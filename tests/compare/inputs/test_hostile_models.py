"""A `.keras` file is never shown to Keras: its twin is made of what was understood here."""

import io
import json
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import batches, twins
from scratch import memory
from tests.compare.support import examples


def written(path, edit=lambda config: None, **members):
    """The file of a compiled network, its config after `edit(config)`, with more members."""
    examples.network("inside").save(path)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(contents["config.json"])
    edit(config)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**contents, "config.json": json.dumps(config), **members}.items():
            archive.writestr(name, content)
    return str(path)


@pytest.fixture
def guarded(keras, monkeypatch):
    """Keras with every way to read a file barred; the list of what it is asked to make."""
    from keras.src.saving import saving_api, saving_lib, serialization_lib

    def barred(*args, **kwargs):
        raise AssertionError(f"Keras was handed {args!r:.200}")

    for module, name in ((keras.saving, "load_model"), (keras.models, "load_model"),
                         (saving_api, "load_model"), (saving_lib, "load_model"),
                         (saving_lib, "_load_model_from_fileobj"), (saving_lib, "DiskIOStore"),
                         (saving_lib, "H5IOStore")):
        monkeypatch.setattr(module, name, barred)
    made = []
    make = serialization_lib.deserialize_keras_object

    def noted(config, *args, **kwargs):
        made.append(config)
        return make(config, *args, **kwargs)

    for module in {m for n, m in list(sys.modules.items()) if n.startswith("keras.src")}:
        if getattr(module, "deserialize_keras_object", None) is make:
            monkeypatch.setattr(module, "deserialize_keras_object", noted)
    return made


def test_a_good_file_is_read_without_keras_and_its_assets_stay_packed(guarded, tmp_path):
    def number(config):  # harmless, and Keras would be shown it with the file's own dictionary
        for entry in config["config"]["layers"]:
            entry["config"].setdefault("dtype", "float32")
            if isinstance(entry["config"]["dtype"], dict):
                entry["config"]["dtype"]["shared_object_id"] = 12345

    path = written(tmp_path / "m.keras", number, **{"assets/big": bytes(10**8)})
    model, twin = twins.pair(path)
    assert guarded and "12345" not in str(guarded)
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]
    report = compare.check(model, twin, *examples.batch(), steps=0)
    assert report, report


LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "registered_name": None,
          "config": {"name": "x", "function": {"class_name": "__lambda__", "config": {
              "code": "4wAAAAA=", "defaults": None, "closure": None}}}}
EMBEDDING = {"module": "keras.layers", "class_name": "Embedding", "registered_name": None,
             "config": {"input_dim": 10**6, "output_dim": 400},
             "build_config": {"input_shape": [None, 1]}}


def marker(folder):
    return {"module": "hostile_marker", "class_name": "Evil", "config": {}, "registered_name": None}


@pytest.mark.parametrize("thing", ["lambda", "embedding", "foreign"])
@pytest.mark.parametrize("place", ["optimizer", "loss", "metrics", "weighted_metrics",
                                   "loss_weights", "run_eagerly", "jit_compile", "new"])
def test_a_hostile_compile_config_is_refused_before_anything_is_made(guarded, thing, place,
                                                                     tmp_path, monkeypatch):
    (tmp_path / "hostile_marker.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Evil: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    made = {"lambda": LAMBDA, "embedding": EMBEDDING, "foreign": marker(tmp_path)}[thing]

    def spoil(config):
        config["compile_config"][place] = [made] if "metrics" in place else made

    path = written(tmp_path / "m.keras", spoil)
    for make in (twins.pair, twins.candidate):
        with pytest.raises(scratch.UnsupportedError, match="m.keras: "):
            make(path)
    assert not guarded and "hostile_marker" not in sys.modules and not (tmp_path / "ran").exists()


def test_the_candidate_of_a_file_needs_no_keras(tmp_path):
    path = written(tmp_path / "m.keras")
    before = set(sys.modules)
    model = twins.candidate(path)
    assert not {name for name in set(sys.modules) - before if name.split(".")[0] == "keras"}
    np.testing.assert_array_equal(model.get_weights()[0],
                                  examples.network("inside").get_weights()[0])


def test_outputs_that_would_not_fit_into_memory_are_refused_with_the_figure(monkeypatch):
    model = examples.network()
    count = batches.activations(model)
    assert count == sum(int(np.prod(shape[1:])) for shape in
                        (model.input_shape, *(layer.output_shape for layer in model.layers)))
    monkeypatch.setattr(memory, "available", lambda: 4 * 3 * count - 1)
    batches.random(model, 2, 0)
    with pytest.raises(ValueError, match="the outputs of all layers.* for 3 samples would take"):
        batches.random(model, 3, 0)


# Golden traces: whoever alters one can seal it again


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    path = tmp_path_factory.mktemp("golden") / "g.npz"
    compare.record(examples.network("inside"), *examples.batch()).save(path)
    return path


def resealed(trace, path, edit, compression=zipfile.ZIP_DEFLATED):
    """The trace after `edit(header, members)`, sealed as if nothing had been altered."""
    from compare.tracing import archive

    with zipfile.ZipFile(trace) as file:
        members = {name: file.read(name) for name in file.namelist()}
    header = json.loads(str(np.load(io.BytesIO(members["header.npy"]))))
    edit(header, members)
    file = io.BytesIO()
    np.save(file, np.array(json.dumps(header)))
    members["header.npy"] = file.getvalue()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", compression) as made:
        for name, content in members.items():
            made.writestr(name, content)
        made.comment = bytes(archive.SEAL)
    contents = whole.getvalue()[:-archive.SEAL]
    path.write_bytes(contents + archive._seal(contents))
    return path


def header_alone(members, name, shape):
    """Only the first bytes of an array of that shape."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False,
                                                "shape": shape})
    members[name] = file.getvalue() + bytes(100)


def nested(depth):
    return json.loads("[" * depth + "]" * depth)


@pytest.mark.parametrize("edit, said", [
    (lambda h, m: header_alone(m, "x.npy", (10**6, 10**6)), "no array of float32 of shape"),
    (lambda h, m: m.update({"more.npy": bytes(10**8)}), "that the file can hold"),
    (lambda h, m: h.update(config=nested(80)), "64 within one another"),
    (lambda h, m: h.update(producer={"a": 1}), "producer is"),
    (lambda h, m: h.update(compile_config=[1]), "compile_config is"),
    (lambda h, m: h["parts"][0].update(layer=3), "a part is called"),
    (lambda h, m: h["parts"][0].update(input=[[]] * 3), ""),
    (lambda h, m: h.update(parts=3), "cannot be read as one"),
])
def test_a_resealed_trace_is_measured_before_it_is_read(trace, edit, said, tmp_path):
    path = resealed(trace, tmp_path / "g.npz", edit)
    tracemalloc.start()
    with pytest.raises(ValueError, match="g.npz") as raised:
        twins.golden_candidate(compare.Trace.load(path), None)
    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()
    assert said in str(raised.value) and len(str(raised.value)) < 3000


def test_a_trace_whose_config_is_of_other_shapes_is_refused_before_it_is_run(trace, tmp_path):
    def padded(header, members):
        header["config"]["layers"][0]["config"]["batch_shape"] = [None, 10**7, 10**7, 2]

    def pooled(header, members):
        pool = next(layer for layer in header["config"]["layers"]
                    if layer["class_name"] == "MaxPooling2D")
        pool["config"]["strides"] = [1, 1]

    for edit, said in ((padded, "Expected a trace of the layers|expected kernel"),
                       (pooled, "'pool' with outputs|expected kernel")):
        path = resealed(trace, tmp_path / "g.npz", edit)
        with pytest.raises(ValueError, match=said):
            twins.golden_candidate(compare.Trace.load(path), None)


def test_a_trace_that_is_sealed_again_as_it_was_is_read(trace, tmp_path):
    path = resealed(trace, tmp_path / "g.npz", lambda header, members: None)
    again = compare.Trace.load(path)
    assert compare.check(twins.golden_candidate(again, None), again)
