"""A submission's process: its objects are used like one's own, and it cannot harm anybody."""

import copy
import os
import pickle
import textwrap
import time

import numpy as np
import pytest

import compare
import scratch
from compare.experiments.grading import serving
from compare.experiments.grading.student import Student, SubmissionError
from tests import patience

CODE = '''
import os, sys, time
import numpy as np


class Layer:
    scale = 2.0

    def __init__(self, size=3):
        self.w = np.ones(size)
        self.same = self.w
        self.held = {"b": np.zeros(2), "inner": {"c": 1}}
        self.children = []

    def forward(self, x):
        self.x = x
        return x * self.w

    def both(self, x):
        return x, [x + 1, (2, "two")]


thing = Layer()


def fail():
    return undefined_name


def wait():
    time.sleep(10_000)


def spawn():
    if os.fork() == 0:
        time.sleep(10_000)
    return os.getpid()


def chatter():
    print("a" * 10)
    os.write(1, b"raw")
    return input()


def leave():
    os._exit(3)


def flood():
    return np.ones(10 ** 10)


class Odd:
    def __reduce__(self):
        return os.system, ("touch /tmp/never",)
'''


@pytest.fixture
def student(tmp_path):
    path = tmp_path / "submission.py"
    path.write_text(CODE)
    with Student(path, patience.SECONDS, 4.0, ("keras", "tensorflow")) as running:
        yield running


def test_objects_are_read_called_changed_and_copied(student):
    module = student.module()
    layer = module.Layer(4)
    assert type(layer).__name__ == "Layer" and layer.scale == 2 and hasattr(layer, "forward")
    x = np.arange(4.0)
    np.testing.assert_array_equal(layer.forward(x), x)
    layer.w = np.full(4, 3.0)
    np.testing.assert_array_equal(layer.same, [3, 3, 3, 3])  # in place: other names follow
    assert not layer.w.flags.writeable
    other = copy.deepcopy(layer)
    other.w = np.zeros(4)
    assert layer.w[0] == 3 and other.w[0] == 0
    first, (second, pair) = layer.both(x)
    np.testing.assert_array_equal(first + 1, second)
    assert pair == (2, "two")
    layer.held["b"] = np.array([5.0, 6.0])
    assert layer.held["b"].tolist() == [5, 6] and layer.held["inner"]["c"] == 1
    assert list(layer.held) == ["b", "inner"] and len(layer.held) == 2
    assert {"w", "same", "held", "x"} <= set(vars(layer))
    with pytest.raises(AttributeError):
        layer.nothing  # noqa: B018
    assert not hasattr(layer, "nothing")


def test_a_layer_of_it_can_be_wrapped(student):
    relu = textwrap.dedent('''
        class Relu:
            def forward(self, x):
                self.mask = x > 0
                return x * self.mask
            def backward(self, dy):
                return dy * self.mask
        ''')
    path = student.path.parent / "other.py"
    path.write_text(relu)
    with Student(path, patience.SECONDS, None, ()) as other:
        layer = compare.wrap(other.module().Relu(), like=scratch.ReLU(), input_shape=(5,))
        x, dy = np.random.default_rng(1).standard_normal((2, 3, 5)).astype("float32")
        np.testing.assert_array_equal(layer(x), np.maximum(x, 0))
        np.testing.assert_array_equal(layer.backward(dy), dy * (x > 0))


def test_errors_come_with_their_line(student):
    said = "undefined_name.*line 27: return undefined_name"
    with pytest.raises(SubmissionError, match=said) as error:
        student.module().fail()
    assert type(error.value).__name__ == "NameError"


@pytest.mark.parametrize("call, said", [
    ("leave", "ended its own process, with exit code 3"), ("wait", "took longer than 2 s")])
def test_a_process_that_ends_or_hangs_is_told_and_stays_ended(tmp_path, call, said):
    path = tmp_path / "submission.py"
    path.write_text(CODE)
    with Student(path, patience.SECONDS, None, ()) as student:
        module = student.module()
        if call == "wait":
            student.seconds, student.deadline = 2, time.monotonic() + 2
        with pytest.raises(SubmissionError, match=said):
            getattr(module, call)()
        with pytest.raises(SubmissionError, match=said):
            module.fail()
        assert said in student.ended and student.process.poll() is not None


def test_what_it_started_ends_with_it(tmp_path):
    path = tmp_path / "submission.py"
    path.write_text(CODE)
    with Student(path, patience.SECONDS, None, ()) as student:
        group = student.module().spawn()
    patience.until(lambda: not patience.is_left(group))


def test_one_that_nobody_ends_does_not_go_on_for_ever(tmp_path):
    """As after the grader was killed: the processor's time is limited as well."""
    path = tmp_path / "submission.py"
    path.write_text("while True:\n    pass\n")
    with Student(path, 0.5, None, ()) as student:
        student.deadline = time.monotonic() + 3600  # nobody looks
        with pytest.raises(SubmissionError, match="SIGXCPU|SIGKILL|signal"):
            student.module()


def test_printing_and_asking_for_input_disturb_nothing(student):
    with pytest.raises(SubmissionError, match="EOF"):
        student.module().chatter()
    student._kill()
    student._listener.join()
    assert student.printed().startswith("raw")


def test_memory_has_a_limit_and_the_process_goes_on(student):
    module = student.module()
    with pytest.raises(SubmissionError) as error:
        module.flood()
    assert "MemoryError" in type(error.value).__name__
    assert module.thing.scale == 2


def test_modules_that_are_not_allowed(tmp_path):
    path = tmp_path / "submission.py"
    path.write_text("def get():\n    import keras.layers\n    return 1\n")
    with Student(path, patience.SECONDS, None, ("keras",)) as student:
        with pytest.raises(SubmissionError, match="does not allow 'keras'"):
            student.module().get()


def test_nothing_of_a_submission_is_unpickled_here(student):
    odd = student.module().Odd()
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(odd)
    assert type(odd).__name__ == "Odd" and not os.path.exists("/tmp/never")


def test_messages_of_another_form_are_refused():
    def read_from(data):
        position = 0

        def read(count):
            nonlocal position
            position += count
            return data[position - count:position]

        return read

    sent = serving.message({"value": {"plain": 1}}, [np.arange(3)])
    header, arrays = serving.received(read_from(sent), 10_000)
    assert header == {"value": {"plain": 1}} and arrays[0].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="at most 10 bytes"):
        serving.received(read_from(sent), 10)
    with pytest.raises(ValueError, match="some pieces"):
        serving.received(read_from(serving.LENGTH.pack(2**40)), 10)
    pickled = serving.LENGTH.pack(2) + serving.LENGTH.pack(2) + serving.LENGTH.pack(20) + b"{}" \
        + pickle.dumps([1] * 20)[:20]
    with pytest.raises(ValueError):
        serving.received(read_from(pickled), 10_000)
