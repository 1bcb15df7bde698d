"""The guides to a first check and to the mathematics: their Python runs, their commands can be
parsed; no guide is out of sight."""

import re
import shlex
from pathlib import Path

import pytest

from compare.cli import build_parser
from tests.compare.support import guides


@pytest.mark.parametrize("name, left", [("FIRST_CHECK", "report"), ("VERDICT", "bound")])
def test_the_blocks_run_one_after_the_other(keras, name, left):
    assert left in guides.run(guides.python_blocks(name), name)


@pytest.mark.parametrize("command", re.findall(r"(?:^\$ |`)parity ([^`\n]+)",
                                               guides.text("FIRST_CHECK"), re.MULTILINE))
def test_a_command_can_be_parsed(command):
    assert build_parser().parse_args(shlex.split(command)).command == "check"


def test_every_guide_and_notebook_is_linked_from_another_page():
    readme = guides.FOLDER.parents[1] / "README.md"
    pages = [path.read_text(encoding="utf-8") for path in (*guides.FOLDER.glob("*.md"), readme)]
    linked = {Path(link).name for page in pages for link in re.findall(r"\]\(([^)#\s]+)", page)}
    assert {path.name for ending in ("md", "ipynb")
            for path in guides.FOLDER.rglob(f"*.{ending}")} <= linked
