"""Small files that ask for a great deal: refused before there is room made for any of it."""

import io
import json
import os
import re
import subprocess
import sys
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest

import scratch
from scratch import initializers, memory
from scratch.files import limits
from scratch.models import model_with_weights
from tests import patience

MOST = 40_000_000  # bytes that a refusal may take


def network():
    model = scratch.Sequential([scratch.Input((4,)), scratch.Dense(2, name="dense")], name="net")
    model.compile(scratch.SGD(0.1, momentum=0.5), "mean_squared_error")
    return model


@pytest.fixture
def saved(tmp_path):
    """The members of a model's file, after a few steps of training."""
    model = network()
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    model.save(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_config(saved, edit) -> dict:
    config = json.loads(saved["config.json"])
    edit(config)
    return {**saved, "config.json": json.dumps(config).encode()}


def with_variables(saved, edit) -> dict:
    file = io.BytesIO(saved["model.weights.h5"])
    with h5py.File(file, "r+") as store:
        edit(store)
    return {**saved, "model.weights.h5": file.getvalue()}


def written(folder, members, compression=zipfile.ZIP_DEFLATED, name="a.keras"):
    path = folder / name
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refused(path, load=scratch.load_model) -> str:
    """The message of the ValueError, which took no memory worth mentioning."""
    load_once(path, load)  # what is imported and compiled on the way is not counted
    tracemalloc.start()
    try:
        with pytest.raises(ValueError) as raised:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()
    message = str(raised.value)
    assert path.name in message and len(message) < 3000, message
    return message


def load_once(path, load):
    try:
        load(path)
    except ValueError:
        pass


def bomb(store, place="optimizer/vars", name="99"):
    """A hundred million numbers in an array that takes up two thousand bytes."""
    if name in store[place]:
        del store[place][name]
    store[place].create_dataset(name, (100_000, 1_000), "f4", chunks=(1000, 1000),
                                compression="gzip")


def test_an_optimizers_arrays_are_counted_before_they_are_read(saved, tmp_path):
    path = written(tmp_path, with_variables(saved, bomb))
    load_once(path, scratch.load_model)
    tracemalloc.start()
    with pytest.warns(UserWarning, match="Received: 5, which are passed over"):
        scratch.load_model(path)  # as in Keras: another number of arrays than the optimizer has
    assert tracemalloc.get_traced_memory()[1] < MOST
    tracemalloc.stop()
    instead = written(tmp_path, with_variables(saved, lambda s: bomb(s, name="2")))
    assert "expected the state of the optimizer" in refused(instead)


def test_shapes_are_held_against_the_config_before_weights_are_drawn(saved, tmp_path):
    def wide(config):
        config["config"]["layers"][1]["config"]["units"] = 10**9

    assert "real numbers of shape (4, 1000000000)" in refused(
        written(tmp_path, with_config(saved, wide)))


def test_a_config_and_an_array_that_agree_on_more_than_the_file_holds(saved, tmp_path):
    def wide(config):
        config["config"]["layers"][1]["config"].update(units=10**8, use_bias=False)

    def packed(store):
        del store["layers/dense/vars"]
        bomb(store, "layers/dense", "x")
        store["layers/dense"].create_dataset("vars/0", (4, 10**8), "f4", chunks=(4, 10**6),
                                             compression="gzip")

    members = with_variables(with_config(saved, wide), packed)
    assert "of a size that the file can hold. Received: 1600000000 bytes" in refused(
        written(tmp_path, members))


@pytest.mark.parametrize("place, said", [
    ("optimizer/vars/x{}", "at most 18 arrays in optimizer/vars. Received: 2004"),
    ("layers/dense/vars/x{}", "at most 64 arrays in layers/dense/vars. Received: 2002"),
    ("layers/x{}/vars/0", "at most 14 layers in layers. Received: 2001")])
def test_arrays_are_counted_before_they_are_opened(place, said, saved, tmp_path, monkeypatch):
    def many(store):
        for i in range(2000):
            store[place.format(i)] = 1.0

    path = written(tmp_path, with_variables(saved, many))
    assert said in refused(path)
    opened = []
    get = h5py.Group.__getitem__
    monkeypatch.setattr(h5py.Group, "__getitem__", lambda group, name: opened.append(name)
                        or get(group, name))
    assert said in refused(path) and len(opened) < 50


def test_a_piece_of_an_array_is_no_larger_than_the_array(saved, tmp_path):
    def chunked(store):
        del store["layers/dense/vars/1"]
        store["layers/dense/vars"].create_dataset("1", (2,), "f4", maxshape=(None,),
                                                  chunks=(10**8,), compression="gzip")

    assert "in pieces no larger than itself" in refused(
        written(tmp_path, with_variables(saved, chunked)))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("text, said", [
    (b"[" * 300_000 + b"]" * 300_000, "at most 200000 brackets, 64 within one another"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "Received: 65, 65 within one another"),
    (b"[" + b"[]," * 250_000 + b"[]]", "Received: 250002, 2 within one another"),
    (b'"' + b"a" * limits.TEXT + b'"', "of at most 4194304 bytes"),
])
def test_texts_of_brackets(text, said, saved, tmp_path):
    assert said in refused(written(tmp_path, {**saved, "config.json": text}))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("text", [
    b'"' * limits.TEXT, b'{"a":"' + b"\\\\" * (limits.TEXT // 2 - 8) + b'"', b"9" * limits.TEXT,
    b'{"a":"' + b"\\u0041" * (limits.TEXT // 6 - 8) + b'"}', b" " * limits.TEXT])
def test_a_text_as_long_as_it_may_be_takes_little_more_than_itself(text, saved, tmp_path):
    """What Python's regular expressions remember is in no count of tracemalloc's."""
    if not os.path.exists("/proc/self/clear_refs"):
        pytest.skip("needs Linux's count of the memory in use")
    path = written(tmp_path, {**saved, "config.json": text})
    program = ("import sys, scratch, scratch.files\n"
               "def peak():\n"
               "    lines = open('/proc/self/status').read().splitlines()\n"
               "    return next(int(line.split()[1]) for line in lines if 'VmHWM' in line)\n"
               "try: scratch.load_model(sys.argv[1])\n"
               "except ValueError: pass\n"
               "open('/proc/self/clear_refs', 'w').write('5')\n"
               "before = peak()\n"
               "try: scratch.load_model(sys.argv[2])\n"
               "except ValueError: print(peak() - before)\n")
    small = written(tmp_path, {**saved, "config.json": b"[]"}, name="small.keras")
    run = subprocess.run([sys.executable, "-c", program, small, path], capture_output=True,
                         text=True, timeout=patience.SECONDS)
    assert int(run.stdout) * 1024 < MOST, run


def test_brackets_in_strings_are_no_brackets():
    limits.require_text(json.dumps({"[" * 100: "\\\"{" * 100}).encode(), "it")
    with pytest.raises(limits.RefusedFile):
        limits.require_text(b'"\\\\"' + b"[" * 65, "it")
    limits.require_text(b'"' + b'\\"' * 100_000 + b"[" * 65, "it")  # a string without an end


def test_other_members_are_never_unpacked(saved, tmp_path):
    path = written(tmp_path, {**saved, "assets/x": bytes(300_000_000), "../out": b"x"})
    load_once(path, scratch.load_model)
    tracemalloc.start()
    scratch.load_model(path)
    assert tracemalloc.get_traced_memory()[1] < MOST
    tracemalloc.stop()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.keras", "whole.keras"]


def test_a_member_packed_by_another_method(saved, tmp_path):
    path = written(tmp_path, saved, zipfile.ZIP_LZMA)  # whose file says how much memory it takes
    assert "to be stored or deflated" in refused(path)


@pytest.mark.parametrize("layer", [
    scratch.AveragePooling2D(3, 1, padding="same"), scratch.AveragePooling2D((10**8, 3), 1, "same"),
    scratch.MaxPooling2D((10**8, 3), 1, "same"), scratch.DepthwiseConv2D(3, padding="same"),
    scratch.Conv2D(3, (10**6, 10**6), padding="same"), scratch.UpSampling2D(10**6),
    scratch.ZeroPadding2D(10**8), scratch.BatchNormalization(axis=1), scratch.PReLU(),
    scratch.UpSampling2D(10**6, interpolation="bilinear"), scratch.CenterCrop(10**9, 10**9),
    scratch.Resizing(10**9, 10**9), scratch.Resizing(10**9, 10**9, interpolation="bicubic"),
    scratch.Resizing(10**9, 3, interpolation="nearest"), scratch.SeparableConv2D(10**9, 3),
    scratch.Cropping2D(((10**6, 10**6), (1, 1))), scratch.GroupNormalization(1),
    scratch.LayerNormalization(axis=(1, 2)), scratch.Conv2DTranspose(2, 3, (10**8, 10**8))],
    ids=lambda layer: type(layer).__name__)
def test_a_layer_is_built_for_any_size_without_room_for_it(layer):
    tracemalloc.start()
    with initializers.undrawn():
        scratch.Sequential([scratch.Input((10**7, 30, 2)), layer])
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_more_than_there_is_memory_for_is_refused_with_the_figure(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 30)
    with pytest.raises(ValueError, match="would take 0 MB of memory. Expected at most the 0 MB"):
        scratch.load_model(written(tmp_path, saved))
    monkeypatch.setattr(memory, "available", lambda: None)  # a system that does not tell
    scratch.load_model(written(tmp_path, saved))


def test_what_is_available_is_what_the_system_says():
    told = re.search(r"MemTotal: +(\d+) kB", open("/proc/meminfo").read()) \
        if sys.platform == "linux" else None
    there = memory.available()
    assert (there is None) == (told is None)
    assert told is None or 0 < there <= int(told[1]) * 1024


def test_weights_that_were_not_drawn_are_as_if_they_had_been():
    """Also in memory: products take the same way, and give the same bits."""
    layers = [scratch.Input((9, 8, 2)), scratch.Conv2D(3, 2), scratch.Conv2DTranspose(2, 3),
              scratch.SeparableConv2D(4, 2), scratch.BatchNormalization(), scratch.Flatten(),
              scratch.Dense(3)]
    drawn = scratch.Sequential(layers)
    given = model_with_weights(drawn.get_config(), drawn.get_weights())
    for a, b in zip(drawn.layers, given.layers):
        for name, weight in a.params.items():
            assert b.params[name].strides == weight.strides and b.params[name].flags.writeable
            np.testing.assert_array_equal(b.params[name], weight)
    x = np.random.default_rng(0).standard_normal((3, 9, 8, 2))
    np.testing.assert_array_equal(drawn.forward(x), given.forward(x))


def test_reading_a_file_draws_nothing(saved, tmp_path):
    path = written(tmp_path, saved)
    scratch.set_random_seed(1)
    first = initializers.RandomNormal()((3,))
    scratch.set_random_seed(1)
    scratch.load_model(path)
    np.testing.assert_array_equal(initializers.RandomNormal()((3,)), first)


# What is not understood


def evil(**more):
    return {"module": "os", "class_name": "system", "config": "touch /tmp/owned",
            "registered_name": None, **more}


def layer(config):
    return config["config"]["layers"][1]


@pytest.mark.parametrize("spoil, named", [
    (lambda c: c["compile_config"].update(other=evil()), "unknown keys ['other']"),
    (lambda c: c["compile_config"].update(run_eagerly=evil()), "'system' from 'os'"),
    (lambda c: c["compile_config"].update(jit_compile={
        "module": "keras.layers", "class_name": "Embedding",
        "config": {"input_dim": 10**6, "output_dim": 400}}), "'Embedding' from 'keras.layers'"),
    (lambda c: c["compile_config"].update(steps_per_execution=[[evil()]]),
     "steps_per_execution[0][0] is an object, 'system' from 'os'"),
    (lambda c: c["compile_config"]["optimizer"].update(module="subprocess"), "from 'subprocess'"),
    (lambda c: c["compile_config"]["loss"].update(registered_name="my>Loss"), "'my>Loss'"),
    (lambda c: c["compile_config"]["loss"].update(extra=1), "unknown keys ['extra']"),
    (lambda c: c.update(build_config=evil()), "build_config is an object, 'system' from 'os'"),
    (lambda c: c.update(assets=[1]), "unknown keys ['assets']"),
    (lambda c: c["config"].update(more=1), "the model's config has the unknown keys ['more']"),
    (lambda c: layer(c).update(compile_config=evil()), "unknown keys ['compile_config']"),
    (lambda c: layer(c)["config"]["dtype"].update(module="builtins"), "from 'builtins'"),
    (lambda c: layer(c)["config"]["kernel_initializer"].update(module="keras.config"),
     "kernel_initializer is 'GlorotUniform' from 'keras.config'"),
    (lambda c: layer(c)["config"]["kernel_initializer"].update(module=3), "from 3"),
    (lambda c: layer(c)["config"]["bias_initializer"].update(registered_name="keras_x>Zeros"),
     "'keras_x>Zeros'"),
    (lambda c: layer(c).update(build_config={"class_name": "__lambda__", "config": {}}),
     "'__lambda__'"),
])
def test_what_is_not_understood_is_refused_by_name_wherever_it_stands(spoil, named, saved,
                                                                      tmp_path):
    path = written(tmp_path, with_config(saved, spoil))
    with pytest.raises(scratch.UnsupportedError) as raised:
        scratch.load_model(path)
    assert named in str(raised.value) and path.name in str(raised.value), str(raised.value)


# Numbers that no optimizer has


@pytest.mark.parametrize("place, value, said", [
    ("0", np.float64("nan"), "iterations"), ("0", np.int64(-5), "iterations"),
    ("0", np.float64(1.5), "iterations"), ("0", np.float64(1e30), "iterations"),
    ("1", np.float32("nan"), "learning_rate"), ("1", np.float32(-1), "learning_rate"),
    ("1", np.float32("inf"), "learning_rate")])
def test_load_weights_changes_nothing_if_the_optimizers_part_is_wrong(place, value, said, saved,
                                                                      tmp_path):
    def edit(store):
        del store[f"optimizer/vars/{place}"]
        store[f"optimizer/vars/{place}"] = value

    path = written(tmp_path, with_variables(saved, edit))
    model = network()
    model.fit(np.ones((4, 4)), np.zeros((4, 2)), epochs=3, verbose=0)
    before = [*model.get_weights(), *(v.copy() for v in model.optimizer.variables)]
    message = refused(path, model.load_weights)
    assert said in message
    for a, b in zip(before, [*model.get_weights(), *model.optimizer.variables], strict=True):
        np.testing.assert_array_equal(a, b)


# Time


def lines_run(make) -> int:
    """How many lines of Python run, those of loops each time."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += 1
        return counted

    before = sys.gettrace()
    sys.settrace(counted)
    try:
        make()
    finally:
        sys.settrace(before)
    return count


def chain(count):
    y = x = scratch.Input((3,))
    for _ in range(count):
        y = scratch.ReLU()(y)
    return scratch.Model(x, y)


def backwards(count):
    """From a config that names its layers last one first."""
    config = chain(count).get_config()
    config["layers"][1:] = config["layers"][:0:-1]
    return lambda: scratch.Model.from_config(config)


@pytest.mark.parametrize("make", [
    lambda n: lambda: scratch.Sequential([scratch.Input((3,)), *map(scratch.ReLU, [None] * n)]),
    lambda n: lambda: chain(n), backwards], ids=["Sequential", "Model", "from a config"])
def test_ten_times_the_layers_take_ten_times_the_work(make):
    few, many = lines_run(make(100)), lines_run(make(1000))
    assert many < 12 * few
