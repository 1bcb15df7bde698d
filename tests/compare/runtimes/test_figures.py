"""The README's figures on whose code can be checked are those of the tests."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("what, library, module", [
    ("PyTorch", "torch", "adapters.pytorch.test_layers"), ("JAX", "jax", "runtimes.test_jax"),
    ("ONNX", "onnxruntime", "runtimes.test_onnx"),
    ("TFLite", "tensorflow", "runtimes.test_tflite")])
def test_the_figures_are_those_of_the_tests(what, library, module):
    pytest.importorskip(library)
    import importlib

    tests = importlib.import_module(f"tests.compare.{module}")
    more = list(getattr(tests, "IN_MANY_STEPS", {}).values())
    wrong = [*tests.WRONG.values(), *(case[:-1] for case in more)]
    named = [case for case in wrong if case[-2 if what in ("PyTorch", "ONNX") else -1]]
    row = re.search(rf"^\| an? {what} (?:.*)\|$", README, re.MULTILINE)
    assert row, what
    *_, placed, said, _ = (cell.strip() for cell in row.group().split("|"))
    assert (placed, said) == (f"{len(wrong)} of {len(wrong)}", f"{len(named)} of {len(wrong)}")
