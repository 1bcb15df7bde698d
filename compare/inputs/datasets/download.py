"""Downloads Fashion-MNIST into Keras's cache, when it is nowhere to be found.

pooch does the work, so neither Keras nor TensorFlow is started: it tries again when a connection
breaks, and moves a file into the cache only once its checksum is right. What is added here: it is
not even tried where there is no network, since looking up a host can hang for minutes.
"""

import queue
import threading
from pathlib import Path

from compare.document import progress

from .fashion_mnist import FILES, check_official, missing_files

# Where keras.datasets.fashion_mnist itself downloads from.
BASE_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
PROBE_SECONDS = 4.0
STALL_SECONDS = 15.0  # without a byte, after which a connection is given up
RETRIES = 2
CHUNK = 1 << 16  # bytes


class Unavailable(Exception):
    """The files could not be downloaded; the message says why, without a full stop."""


def fetch(cache: Path) -> Path:
    """Downloads those of the four files that `cache` lacks. Returns `cache`.

    Raises:
        Unavailable: if there is no network, or it fails, or `cache` cannot be written to.
        DataError: if what arrived is not the published file. None of it is kept.
    """
    progress.line(f"Fashion-MNIST is not on this machine: downloading it into {cache} ...")
    reason = unreachable(BASE_URL + next(iter(FILES)))
    if reason is not None:
        raise Unavailable(reason)
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # it tells of every file otherwise
    registry = {name: f"sha256:{known.sha256}" for name, known in FILES.items()}
    files = pooch.create(cache, BASE_URL, registry=registry, retry_if_failed=RETRIES)
    try:
        for name in missing_files(cache):
            with progress.arriving(f"Downloading {name}") as line:
                files.fetch(name, downloader=_Official(name, line))
    except requests.RequestException as error:  # which is an OSError as well
        raise Unavailable(f"{BASE_URL}{name}: {_cause(error)}") from error
    except OSError as error:
        raise Unavailable(f"{cache} cannot be written to: {error}") from error
    return cache


def unreachable(url: str, seconds: float | None = None) -> str | None:
    """Asks for `url`'s headers. Returns None if they come in time, else why they do not.

    A timeout on the connection is not enough, since looking up a host's address can hang as well
    and cannot be interrupted: so a thread asks, and is left behind if it does not answer. It
    asks as pooch will, proxies and certificates included.
    """
    import requests

    seconds = PROBE_SECONDS if seconds is None else seconds
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def ask():
        try:
            requests.head(url, timeout=seconds, allow_redirects=True).raise_for_status()
            answers.put(None)
        except Exception as error:  # whatever it is, it is the reason
            answers.put(f"{url} cannot be reached: {_cause(error)}")

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return f"{url} did not answer within {seconds:g} seconds"


class _Official:
    """pooch's way to fetch a file, which has to be the published one: else the error says what
    came, and pooch tries again."""

    def __init__(self, name: str, line):
        self.name, self.line = name, line

    def __call__(self, url: str, path: str, files) -> None:
        import pooch

        if self.line is not None:
            self.line.reset()
        pooch.HTTPDownloader(self.line or False, CHUNK, timeout=STALL_SECONDS)(url, path, files)
        check_official(self.name, Path(path).read_bytes(), url, "Nothing of it was kept.")


def _cause(error: BaseException) -> str:
    """What lies at the bottom of an error of requests, in its own words."""
    while error.args:
        below = getattr(error.args[0], "reason", error.args[0])
        if not isinstance(below, BaseException):
            break
        error = below
    said = error.args[0] if error.args else ""
    return said if isinstance(said, str) else str(error)
