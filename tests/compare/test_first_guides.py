"""The guides to a first check and to the mathematics: their Python runs, their commands can be
parsed."""

import re
import shlex
from pathlib import Path

import pytest

from compare.cli import build_parser

GUIDES = Path(__file__).parents[2] / "compare" / "guides"


def text(name: str) -> str:
    return (GUIDES / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["FIRST_CHECK", "VERDICT"])
def test_the_blocks_run_one_after_the_other(keras, name):
    blocks = re.findall(r"```python\n(.*?)```", text(name), re.DOTALL)
    assert any("assert" in block for block in blocks)
    names: dict = {}
    for block in blocks:
        exec(compile(block, f"{name}.md", "exec"), names)


def test_commands_can_be_parsed():
    commands = re.findall(r"(?:^\$ |`)parity (.*?)`?(?: calls.*)?$", "\n".join(
        re.split(r"(?<=`)[.,:] ?| and ", text("FIRST_CHECK"))), re.MULTILINE)
    assert "check" in commands and "check model.keras" in commands
    for command in commands:
        assert build_parser().parse_args(shlex.split(command)).command == "check"


def test_every_guide_can_be_found_from_another_page():
    pages = [path.read_text(encoding="utf-8") for path in (*GUIDES.glob("*.md"),
                                                          GUIDES.parents[1] / "README.md")]
    linked = {Path(link).name for page in pages for link in re.findall(r"\]\(([^)#\s]+)", page)}
    assert {path.name for path in GUIDES.rglob("*.*") if path.is_file()} <= linked
