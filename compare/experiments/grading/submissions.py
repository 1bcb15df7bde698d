"""What was handed in: files of Python, notebooks, or folders with one of either in them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

KINDS = (".py", ".ipynb")
LARGEST = 10 << 20  # bytes of a submission's file


@dataclass(frozen=True)
class Submission:
    """Whose it is, by the name of the file or the folder, and the file itself.

    Attributes:
        problem: why there is no file to run; '' if there is one.
    """

    name: str
    path: Path
    problem: str = ""

    @property
    def key(self) -> str:
        """Its name and its content: another version is another key."""
        content = self.path.read_bytes() if self.path.is_file() else self.problem.encode()
        return f"{self.name}-{hashlib.sha256(content).hexdigest()[:12]}"

    def code(self) -> str:
        """The Python in it; of a notebook all cells of code, without the lines for the notebook.

        Raises:
            ValueError: for a file that holds none.
        """
        if self.path.stat().st_size > LARGEST:
            raise ValueError(f"expected a file of at most {LARGEST:,} bytes. "
                             f"Received: {self.path.stat().st_size:,}")
        try:
            text = self.path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"expected a text in UTF-8. Received: {error}") from None
        return text if self.path.suffix == ".py" else _cells(text)


def found(folder) -> list[Submission]:
    """All submissions in a folder, by name.

    Raises:
        ValueError: if it is no folder or there are none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"Expected a folder of submissions. Received: {folder}, which is none")
    places = sorted(path for path in folder.iterdir()
                    if not path.name.startswith((".", "__"))
                    and (path.is_dir() or path.suffix in KINDS))
    if not places:
        raise ValueError(f"Expected submissions in {folder}: FILE.py, FILE.ipynb, or folders with "
                         "one of them. Received: none")
    return [_of_folder(place) if place.is_dir() else Submission(place.stem, place)
            for place in places]


def _of_folder(folder: Path) -> Submission:
    files = sorted(path for kind in KINDS for path in folder.glob(f"*{kind}"))
    if len(files) == 1:
        return Submission(folder.name, files[0])
    which = ", ".join(path.name for path in files) or "none"
    return Submission(folder.name, folder, f"expected one file of Python or one notebook in "
                      f"{folder.name}. Received: {which}")


def _cells(text: str) -> str:
    """The code of a notebook."""
    try:
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("expected a notebook with cells, nbformat 4. "
                         f"Received: {type(error).__name__}: {error}") from None
    return "\n\n".join(map(_python, sources)) + "\n"


def _python(source: str) -> str:
    """A cell without magics and commands for the shell, which are the notebook's own."""
    if source.lstrip().startswith("%%"):
        return ""
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line
                     for line in source.split("\n"))
