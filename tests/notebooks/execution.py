"""Runs notebooks. `python -m tests.notebooks.execution` runs those of the guides and keeps what
they put out, less what libraries say of themselves on standard error."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "compare" / "guides" / "notebooks").glob("*.ipynb"))
SECONDS = 300  # a cell


def executed(path: Path):
    """The notebook, run from top to bottom in a kernel of its own.

    Raises:
        nbclient.exceptions.CellExecutionError: for a cell that raises.
        nbformat.ValidationError: for a file that is no notebook.
    """
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                   "TF_CPP_MIN_LOG_LEVEL": "3"}
    client = nbclient.NotebookClient(notebook, timeout=SECONDS, kernel_name="python3",
                                     record_timing=False)
    with client.setup_kernel(env=environment):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    return notebook


def without_noise(notebook):
    """The same notebook, less its standard error."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


if __name__ == "__main__":
    import nbformat

    for each in GUIDES:
        nbformat.write(without_noise(executed(each)), each)
        print(each.relative_to(ROOT))
