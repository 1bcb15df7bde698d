"""The guides as the tests read them, and the Python in them, run."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "compare" / "guides"


def text(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def python_blocks(name: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text(name), re.DOTALL)


def run(blocks, name: str) -> dict:
    """The names that the blocks, one after the other, leave behind."""
    names: dict = {}
    for block in blocks:
        exec(compile(block, f"{name}.md", "exec"), names)
    return names
