"""What the guide for contributors names is there: files, and the code that it shows."""

import re
from pathlib import Path

import pytest

from compare.checks.gate import Gate
from compare.oracle.base import Oracle
from tests.compare.support import guides

ROOT = Path(__file__).parents[3]
TEXT = guides.text("CONTRIBUTING")
PATHS = sorted({path for path in re.findall(r"`([\w./]+)`", TEXT)
                if "/" in path and not path.startswith(".ci")})
# lines of the examples, and where they stand
SHOWN = {"compare/oracle/layers/reshaping.py": '@judges("Permute")',
         "compare/evaluation/fuzzing/layer_grammar.py": '"Permute": Entry',
         "compare/diagnosis/hypotheses/reshaping.py": 'inside("axes-permuted", f"dims {dims}"',
         "compare/evaluation/faults/families/reshaping.py": '("Permute", "inverse"'}


@pytest.mark.parametrize("path", PATHS)
def test_files_and_folders_that_are_named_exist(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", SHOWN)
def test_examples_are_the_code(path):
    """The block that is shown, less what indents it, stands in the file line by line."""
    code = (ROOT / path).read_text(encoding="utf-8")
    block = next(block for block in guides.python_blocks("CONTRIBUTING") if SHOWN[path] in block)
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    if "hypotheses" in path:  # one of three, that of this file
        lines = [next(line for line in lines if SHOWN[path] in line)]
    for line in lines:
        assert line in re.sub(r"\s*\n\s*", "\n", code), line


def test_attributes_that_are_named_are_those_of_an_oracle():
    for name in ("operation", "kinks", "window", "reductions", "exact"):
        assert f"`{name}`" in TEXT and hasattr(Oracle, name)
    assert Gate.FORWARD.single_layer and "`forward`" in TEXT
