"""Where the files of Fashion-MNIST may already be.

A folder that somebody named is the only one looked at: if it is wrong, they want to know, and
not have other data turn up from elsewhere. Without one, the usual places are tried in turn.
"""

import os
from pathlib import Path

from .fashion_mnist import FILES, missing_files

ENVIRONMENT_VARIABLE = "FASHION_MNIST_DIR"


def find(data_dir: str | os.PathLike | None) -> tuple[Path | None, list[str]]:
    """Looks for a folder that has all four files; what is in them is not yet looked at.

    Returns:
        The folder, or None, and the list of places looked in, each with what it lacked if it
        had some of the files but not all.

    Raises:
        FileNotFoundError: if a folder was named, by `data_dir` or else by $FASHION_MNIST_DIR,
            and it is missing or lacks a file.
    """
    if data_dir is not None:
        return _named(data_dir, "data_dir"), []
    # An empty variable counts as unset, as in a shell.
    if os.environ.get(ENVIRONMENT_VARIABLE):
        return _named(os.environ[ENVIRONMENT_VARIABLE], f"${ENVIRONMENT_VARIABLE}"), []

    looked_in: list[str] = []
    for folder in usual_places():
        missing = missing_files(folder)
        if not missing:
            return folder, looked_in
        partial = len(missing) < len(FILES)
        lacks = f", which lacks {' and '.join(missing)}" if partial else ""
        looked_in.append(f"{folder}{lacks}")
    return None, looked_in


def usual_places() -> list[Path]:
    """The folders tried when none was named, in order, without repetition.

    The first two are relative to the current directory and, in a source checkout, also to its
    root, so that the command finds the same data wherever in the checkout it is started.
    """
    roots = [Path.cwd()]
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file():
        roots.append(checkout)
    places = [root / "data" / "fashion-mnist" for root in roots]
    places += [root.parent / "shared" / "fashion-mnist" for root in roots]
    return list(dict.fromkeys([*places, keras_cache()]))


def keras_cache() -> Path:
    """The folder in which `keras.datasets.fashion_mnist` keeps its files."""
    home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    return Path(os.path.expanduser(home), "datasets", "fashion-mnist")


def _named(folder: str | os.PathLike, by: str) -> Path:
    path = Path(os.path.expanduser(folder))
    missing = missing_files(path)
    if missing:
        exists = os.path.isdir(path)
        state = f"lacks {', '.join(missing)}" if exists else "is not a folder that exists"
        raise FileNotFoundError(
            f"{by} does not lead to Fashion-MNIST. Expected: a folder with the four files "
            f"{', '.join(FILES)}. Received: {by}={os.fspath(folder)!r}, which {state}."
        )
    return path
