"""The blocks of the pages that a command made. Before each stands a comment, which is not shown:

    <!-- NAME [MAKER] (HOW LONG): COMMAND
    WHICH LINES TO KEEP, see excerpt.py -->

The block is what follows at once: a fence with all in it, or else the lines up to an empty one, a
table or a paragraph. Without a MAKER it is an excerpt of what the command prints; with one, it is
made of the JSON that the command leaves behind, see makers.py.
"""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.readme import excerpt

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, *(ROOT / "compare" / "guides" / name for name in ("FUZZED.md", "PERFORMANCE.md")))
WIDTH = 100

COMMENT = re.compile(r"^<!--(.*?)-->\n", re.M | re.S)
MARKER = re.compile(r"([a-z]+)(?: ([a-z]+))? \(([^()]+)\): (\S.*)")
FENCE = re.compile(r"```.*?^```$", re.M | re.S)
LINES = re.compile(r"(?:.+(?:\n|\Z))+")


@dataclass(frozen=True)
class Block:
    """One block and its comment.

    Attributes:
        name: by which it is asked for; blocks of one command share it.
        maker: who makes it of JSON; None where it is an excerpt of what is printed.
        about: how long the command takes, in words.
        command: as one would type it.
        choice: which lines to keep.
        text: the block as it stands, fence included, without the last line's end.
        start: where it stands in its page, in characters.
    """

    name: str
    maker: str | None
    about: str
    command: str
    choice: tuple[str, ...]
    text: str
    start: int

    def of_lines(self, printed: str) -> str:
        """What the block becomes if its command has printed this.

        Raises:
            ValueError: if something that is to be kept was not printed.
        """
        lines = printed.rstrip().splitlines()
        if self.text.startswith("```"):
            kept = excerpt.select(lines, self.choice, gap="...")
            return "\n".join([self.text.splitlines()[0], *kept, "```"])
        kept = excerpt.select(lines, self.choice)
        if self.text.startswith("|"):
            return "\n".join(squeezed(line) for line in kept)
        return textwrap.fill(" ".join(kept), WIDTH)


def squeezed(row: str) -> str:
    """A row of a Markdown table without the blanks and dashes that line it up."""
    return re.sub(r"-{4,}", "---", re.sub(r" +", " ", row))


def find(text: str) -> list[Block]:
    """All blocks of a page, in their order.

    Raises:
        ValueError: for a comment that is no marker, or one without a block.
    """
    found = []
    for comment in COMMENT.finditer(text):
        head, *choice = comment[1].strip().splitlines()
        marker = MARKER.fullmatch(head)
        if not marker:
            raise ValueError(f"Expected a comment '<!-- NAME [MAKER] (HOW LONG): COMMAND -->'. "
                             f"Received: {head!r}")
        body = FENCE.match(text, comment.end()) or LINES.match(text, comment.end())
        if not body:
            raise ValueError(f"Expected a block at once behind its comment. Received none: {head}")
        found.append(Block(*marker.groups(), tuple(map(str.strip, choice)), body[0].rstrip("\n"),
                           comment.end()))
    return found


def replaced(text: str, renewed: dict[Block, str]) -> str:
    """The page with blocks exchanged, which `find` found in it."""
    for block in sorted(renewed, key=lambda block: -block.start):
        text = text[:block.start] + renewed[block] + text[block.start + len(block.text):]
    return text


def snippets(text: str) -> list[str]:
    """The Python code of a README, fence by fence."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)


def files(text: str) -> dict[str, str]:
    """The files that a README tells its reader to write: code that begins with '# NAME.py'."""
    return {name[1]: code for code in snippets(text)
            if (name := re.match(r"# (\w+\.py)\b", code))}
