"""Downloads Fashion-MNIST into Keras's cache, when it is nowhere to be found.

`keras.utils.get_file` does the work. What is added here: it is not even tried where there is no
network (it could hang for minutes, and importing Keras takes seconds); the files arrive in a
folder of their own and are moved into the cache only once they are proven to be the right ones
(`get_file` writes in place, and leaves a file with a wrong checksum where it is); and what Keras
prints goes to stderr.
"""

import contextlib
import os
import queue
import socket
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from compare.document import progress

from .fashion_mnist import FILES, check_official, missing_files

# Where keras.datasets.fashion_mnist itself downloads from.
BASE_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
PROBE_SECONDS = 4.0
STALL_SECONDS = 15.0


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
    get_file = _keras_get_file()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # Within the cache, so that moving a file into place is a rename, which is never half done.
        with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as staging:
            with contextlib.redirect_stdout(sys.stderr), _stall_timeout(STALL_SECONDS):
                for name in missing_files(cache):
                    os.replace(_fetch_one(get_file, name, Path(staging)), cache / name)
    except OSError as error:
        raise Unavailable(f"{cache} cannot be written to: {error}") from error
    return cache


def unreachable(url: str, seconds: float | None = None) -> str | None:
    """Asks for `url`'s headers. Returns None if they come in time, else why they do not.

    A timeout on the connection is not enough, since looking up a host's address can hang as well
    and cannot be interrupted: so a thread asks, and is left behind if it does not answer. It
    asks as `get_file` will, proxies and certificates included.
    """
    seconds = PROBE_SECONDS if seconds is None else seconds
    answers = queue.SimpleQueue()

    def ask():
        try:
            request = urllib.request.Request(url, method="HEAD")
            urllib.request.urlopen(request, timeout=seconds).close()
            answers.put(None)
        except Exception as error:  # whatever it is, it is the reason
            answers.put(f"{url} cannot be reached: {getattr(error, 'reason', None) or error}")

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return f"{url} did not answer within {seconds:g} seconds"


def _keras_get_file():
    # TensorFlow, which Keras starts, reads its log level once, when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import keras
    except ImportError as error:
        raise Unavailable(f"Keras, which downloads it, cannot be imported: {error}") from error
    return keras.utils.get_file


def _fetch_one(get_file, name: str, staging: Path) -> Path:
    arrived = staging / name
    url = BASE_URL + name
    try:
        get_file(
            name,
            origin=url,
            file_hash=FILES[name].sha256,
            hash_algorithm="sha256",
            cache_dir=str(staging),
            cache_subdir="",
        )
    except Exception as error:  # for a failed connection get_file raises just that
        # With a file that is complete but wrong, get_file complains and leaves it there; with
        # anything else it removes what has arrived.
        if not arrived.is_file():
            raise Unavailable(str(error)) from error
    check_official(name, arrived.read_bytes(), url, "Nothing of it was kept.")
    return arrived


@contextlib.contextmanager
def _stall_timeout(seconds: float) -> Iterator[None]:
    """Gives up on a connection that goes silent; get_file offers no such setting of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
