"""Traces in files: what is read is what was written, and nothing else is ever taken for a trace."""

import dataclasses
import hashlib
import io
import json
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compare
from compare.tracing import archive as trace_file
from compare.tracing.trace import Part, Trace
from tests.compare.support import examples, graphs
from tests.draws import draws

EXAMPLES = settings(max_examples=draws(150), deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def trace():
    return compare.record(examples.network(), *examples.batch())


@pytest.fixture(scope="module")
def written(trace, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("trace") / "golden.npz"
    trace.save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A path to write altered files to."""
    return tmp_path_factory.mktemp("altered") / "altered.npz"


def assert_same(a: Trace, b: Trace) -> None:
    """Equal in every field, arrays bit for bit and of the same precision."""
    for field in dataclasses.fields(Trace):
        if field.name == "parts":
            continue
        assert_same_value(getattr(a, field.name), getattr(b, field.name), field.name)
    assert len(a.parts) == len(b.parts)
    for mine, other in zip(a.parts, b.parts):
        for field in dataclasses.fields(mine):
            assert_same_value(getattr(mine, field.name), getattr(other, field.name), field.name)


def assert_same_value(a, b, name):
    if isinstance(a, tuple) and any(isinstance(v, np.ndarray) for v in a):
        assert isinstance(b, tuple) and len(a) == len(b), name
        for mine, other in zip(a, b):
            assert_same_value(mine, other, name)
    elif isinstance(a, dict) and any(isinstance(v, np.ndarray) for v in a.values()):
        assert list(a) == list(b), name
        for key in a:
            assert_same_value(a[key], b[key], f"{name} {key}")
    elif isinstance(a, (np.ndarray, np.generic)):
        assert a.dtype == b.dtype and a.shape == b.shape, name
        assert a.tobytes() == b.tobytes(), name
    else:
        assert a == b, name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("end", ["Softmax", "inside"])
def test_a_saved_trace_is_read_back_whole(tmp_path, dtype, end):
    trace = compare.record(examples.network(end, dtype=dtype), *examples.batch())
    trace.save(tmp_path / "t.npz")
    assert_same(Trace.load(tmp_path / "t.npz"), trace)
    assert_same(Trace.load(str(tmp_path / "t.npz")), trace)


def test_a_repr_is_one_short_line(trace):
    assert "ops on a batch of" in repr(trace) and len(repr(trace)) < 200
    assert all(len(repr(part)) < 100 and part.name in repr(part) for part in trace.parts)


def test_a_trace_without_a_loss_is_read_back_whole(tmp_path):
    trace = compare.record(examples.network(loss=None), examples.batch()[0],
                           upstream=examples.upstream())
    trace.save(tmp_path / "t.npz")
    read = Trace.load(tmp_path / "t.npz")
    assert_same(read, trace)
    assert read.y is None and read.loss is None


def test_nan_infinity_and_negative_zero_survive(trace, tmp_path):
    changed = dataclasses.replace(trace, loss=np.float32("nan"),
                                  x=np.array([[np.nan, np.inf, -0.0, 1e-45]], "float32"))
    changed.save(tmp_path / "t.npz")
    assert_same(Trace.load(tmp_path / "t.npz"), changed)


def test_the_archive_is_plain_and_holds_each_array_once(trace, written):
    with np.load(io.BytesIO(written), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(str(arrays.pop("header")))
    assert header["format"] == "keras-parity trace" and header["version"] == 2
    assert [layer["class_name"] for layer in header["config"]["layers"][1:]] \
        == ["Conv2D", "ReLU", "MaxPooling2D", "Conv2D", "Flatten", "Dense", "Softmax"]
    contents = [(a.dtype.str, a.shape, a.tobytes()) for a in arrays.values()]
    assert len(set(contents)) == len(contents)
    held = sum(array is not None for part in trace.parts
               for array in (part.input, part.output, part.output_gradient, part.input_gradient))
    assert held > len(arrays) - 10, "each layer's output is the next one's input"


def refused(path) -> str:
    """The message of the one ValueError that reading the file gives."""
    with pytest.raises(ValueError) as caught:
        Trace.load(path)
    assert caught.type is ValueError
    message = str(caught.value)
    assert str(path) in message and "expected" in message and "Received" in message
    return message


@given(data=st.data())
@EXAMPLES
def test_one_altered_byte_anywhere_is_noticed(written, place, data):
    position = data.draw(st.integers(0, len(written) - 1), label="position")
    change = data.draw(st.integers(1, 255), label="change")
    altered = bytearray(written)
    altered[position] ^= change
    place.write_bytes(altered)
    assert "altered" in refused(place)


@given(data=st.data())
@EXAMPLES
def test_a_file_cut_short_or_grown_anywhere_is_noticed(written, place, data):
    length = data.draw(st.integers(0, len(written) - 1), label="length")
    place.write_bytes(written[:length])
    refused(place)
    place.write_bytes(written[:length] + b"\0" + written[length:])
    refused(place)
    place.write_bytes(written + b"\n")
    refused(place)


def seal(contents: bytes) -> bytes:
    """Contents made to end as a trace does, so that only what is inside can be wrong."""
    return contents + hashlib.sha256(contents).hexdigest().encode()


def archive(**arrays) -> bytes:
    """An archive sealed as a trace is."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with zipfile.ZipFile(buffer, "a") as file:
        file.comment = bytes(64)
    return seal(buffer.getvalue()[:-64])


def header_of(written) -> dict:
    with np.load(io.BytesIO(written)) as archive:
        return json.loads(str(archive["header"]))


def arrays_of(written) -> dict:
    with np.load(io.BytesIO(written)) as archive:
        return {name: archive[name] for name in archive.files if name != "header"}


def test_an_archive_made_like_a_trace_is_read(written, trace, tmp_path):
    """The helper of the tests below makes files that are wrong in nothing but what they change."""
    path = tmp_path / "t.npz"
    path.write_bytes(archive(header=json.dumps(header_of(written)), **arrays_of(written)))
    assert_same(Trace.load(path), trace)


@pytest.mark.parametrize("sealed", [False, True])
def test_other_archives_and_files_are_no_traces(tmp_path, sealed):
    path = tmp_path / "other.npz"
    buffer = io.BytesIO()
    np.savez(buffer, x=np.zeros(3), y=np.ones(2))
    bare = io.BytesIO()
    np.save(bare, np.zeros(3))
    for contents in (buffer.getvalue(), bare.getvalue(), b"", b"hello", b"PK\x03\x04", bytes(1000)):
        path.write_bytes(seal(contents) if sealed else contents)
        refused(path)
    if sealed:
        for header in ("no json", "[]", "3", "{}", json.dumps({"format": "other", "version": 1})):
            path.write_bytes(archive(header=header))
            refused(path)


def test_a_pickle_is_never_opened(tmp_path):
    """A file that runs code when it is unpickled leaves no trace of having done so."""
    path, touched = tmp_path / "t.npz", tmp_path / "touched"

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(touched),)

    objects = np.array([Evil()], dtype=object)
    path.write_bytes(archive(header=objects))
    refused(path)
    path.write_bytes(archive(header=json.dumps({"format": "keras-parity trace", "version": 1,
                                                "x": "a"}), a=objects))
    refused(path)
    assert not touched.exists()


@pytest.mark.parametrize("version", [0, 5, "1", None, True])
def test_another_version_is_refused_by_its_number(written, tmp_path, version):
    header = header_of(written)
    header["version"] = version
    path = tmp_path / "t.npz"
    path.write_bytes(archive(header=json.dumps(header), **arrays_of(written)))
    said = f"version 2, 3 or 4. Received: 'keras-parity trace', version {version!r}"
    assert said in refused(path)


def test_a_file_of_the_first_version_is_read(written, trace, tmp_path):
    """It knew chains of layers only."""
    header = header_of(written)
    for name in ("sources", "sample_weight", "inference"):
        del header[name]
    for part in header["parts"]:
        del part["noise"], part["inference"]
    header["version"] = 1
    path = tmp_path / "t.npz"
    path.write_bytes(archive(header=json.dumps(header), **arrays_of(written)))
    assert_same(Trace.load(path), trace)


def test_a_graph_with_noise_and_statistics_is_read_back_whole(tmp_path):
    x, y, weight = graphs.features()
    for trace in (compare.record(graphs.residual(), *graphs.images()),
                  compare.record(graphs.gated(), x, y, sample_weight=weight)):
        trace.save(tmp_path / "t.npz")
        assert_same(Trace.load(tmp_path / "t.npz"), trace)


@pytest.mark.parametrize("sources", [[], [[-1]] * 3, [[0]] * 7, [[-2]] * 7, [[9]] * 7])
def test_sources_that_cannot_be_are_refused(written, tmp_path, sources):
    header = header_of(written)
    header["sources"] = sources
    path = tmp_path / "t.npz"
    path.write_bytes(archive(header=json.dumps(header), **arrays_of(written)))
    assert "sources" in refused(path)


def test_every_array_that_is_missing_is_noticed(written, tmp_path):
    arrays, path = arrays_of(written), tmp_path / "t.npz"
    for name in arrays:
        rest = {key: value for key, value in arrays.items() if key != name}
        path.write_bytes(archive(header=json.dumps(header_of(written)), **rest))
        assert name in refused(path)


def test_every_entry_that_is_missing_from_the_header_is_noticed(written, tmp_path):
    path = tmp_path / "t.npz"
    for name in header_of(written):
        header = header_of(written)
        del header[name]
        path.write_bytes(archive(header=json.dumps(header), **arrays_of(written)))
        refused(path)
    header = header_of(written)
    header["parts"][2]["surprise"] = 1
    path.write_bytes(archive(header=json.dumps(header), **arrays_of(written)))
    assert "surprise" in refused(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected a recorded trace. Received: .*gone.npz"):
        Trace.load(tmp_path / "gone.npz")
    with pytest.raises(FileNotFoundError, match="which is no file"):
        Trace.load(tmp_path)


def test_a_failure_leaves_what_was_there_and_nothing_else(trace, tmp_path, monkeypatch):
    path = tmp_path / "golden.npz"
    path.write_bytes(b"what was there")

    def fails(*args, **kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(trace_file.Path, "write_bytes", fails)
    with pytest.raises(OSError, match="the disk is full"):
        trace.save(path)
    monkeypatch.undo()
    monkeypatch.setattr(np, "savez_compressed", fails)
    with pytest.raises(OSError, match="the disk is full"):
        trace.save(path)
    assert os.listdir(tmp_path) == ["golden.npz"]
    assert path.read_bytes() == b"what was there"
    monkeypatch.undo()
    trace.save(path)
    assert os.listdir(tmp_path) == ["golden.npz"]
    assert_same(Trace.load(path), trace)


def test_a_folder_that_is_not_there(trace, tmp_path):
    with pytest.raises(OSError):
        trace.save(tmp_path / "gone" / "golden.npz")
    assert os.listdir(tmp_path) == []


def test_saving_does_not_change_the_trace(trace, tmp_path):
    before = {name: array.copy() for name, array in trace.tensors().items()}
    trace.save(tmp_path / "a.npz")
    trace.save(tmp_path / "b.npz")
    assert trace.tensors().keys() == before.keys()
    for name, array in trace.tensors().items():
        assert array.tobytes() == before[name].tobytes()


def test_tensors_and_weights_by_name(trace):
    names = set(trace.tensors())
    assert {"conv/output", "conv/kernel", "conv/kernel_gradient", "conv/bias_updated",
            "second/relu/output", "second/relu/input_gradient", "pool/output_gradient"} <= names
    assert "softmax/input_gradient" not in names, "the loss is computed from the logits"
    assert list(trace.weights()) == ["conv/kernel", "conv/bias", "second/kernel", "second/bias",
                                     "dense/kernel", "dense/bias"]
    for name, weight in zip(trace.weights().values(), examples.network().get_weights()):
        np.testing.assert_array_equal(name, weight)


def test_a_part_with_several_inputs_numbers_their_gradients():
    x = (np.ones((2, 3)), np.ones((2, 1)))
    part = Part("add", "", "Add", x, x[0] + x[1], output_gradient=x[0],
                input_gradient=(x[0], None))
    assert list(part.results) == ["output", "input_gradient_1"]
    assert list(part.tensors) == ["output", "output_gradient", "input_gradient_1"]
    part.input_gradient = (x[0], x[1])
    assert part.results["input_gradient_2"] is x[1]


def test_a_part_names_its_weights_before_and_after():
    kernel = np.ones((3, 2))
    part = Part("dense", "", "Dense", np.ones((4, 3)), np.ones((4, 2)), weights={"kernel": kernel},
                weight_gradients={"kernel": 2 * kernel}, updated={"kernel": 3 * kernel})
    assert list(part.results) == ["output", "kernel_gradient"]
    assert {name: array[0, 0] for name, array in part.tensors.items()} == {
        "output": 1, "kernel": 1, "kernel_gradient": 2, "kernel_updated": 3}
