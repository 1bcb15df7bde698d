"""`parity check --model mine:pair` with a function of JAX's in the pair."""

import subprocess
import sys

import pytest

from compare.cli import main

MODULE = """
import jax
import keras
import numpy as np

import compare


def pair(activation=jax.nn.relu):
    keras.utils.set_random_seed(1)
    twin = keras.Sequential([
        keras.Input((5,)), keras.layers.Dense(4, activation="relu", name="first"),
        keras.layers.Dense(3, name="last")])
    params = [np.array(w) for w in twin.get_weights()]

    def network(params, x):
        w, b, v, c = params
        return activation(x @ w + b) @ v + c

    return compare.from_jax(network, params), twin


def tanh(): return pair(jax.numpy.tanh)
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    pytest.importorskip("jax")
    (tmp_path / "my_jax_pair.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "my_jax_pair"


def test_a_pair_with_a_function(keras, mine, capsys):
    assert main(["check", "--model", f"{mine}:pair", "--inference"]) == 0
    assert "Parity holds" in capsys.readouterr().out
    assert main(["check", "--model", f"{mine}:tanh", "--inference"]) == 1
    assert "activation-other" in capsys.readouterr().out


def test_nothing_imports_another_runtime_unless_it_is_asked_for():
    code = ("import sys, compare.parity; sys.exit(any(name in sys.modules for name in "
            "('jax', 'onnx', 'onnxruntime', 'ai_edge_litert', 'tensorflow')))")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
