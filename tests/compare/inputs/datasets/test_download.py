"""The download, without a network: what fetches is replaced, or reads from a local folder."""

import hashlib
import os
import socket
import sys
import threading
import types
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from compare.inputs import datasets
from compare.inputs.datasets import download, fashion_mnist, search

CONTENTS = {name: f"the contents of {name}".encode() for name in fashion_mnist.FILES}
LABELS = "train-labels-idx1-ubyte.gz"


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Four short texts are the published files; the network answers."""
    for name, contents in CONTENTS.items():
        known = fashion_mnist.Official(len(contents), hashlib.sha256(contents).hexdigest(), (1,))
        monkeypatch.setitem(fashion_mnist.FILES, name, known)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "keras" / "datasets" / "fashion-mnist"


@pytest.fixture
def served(monkeypatch):
    """A stand-in for Keras which "downloads" what this dictionary has for each name.

    Bytes arrive; an exception is raised. As in Keras, a file whose checksum is wrong is left
    in place when the complaint is raised.
    """
    contents = dict(CONTENTS)
    contents["asked"] = []

    def get_file(fname, origin, file_hash, hash_algorithm, cache_dir, cache_subdir):
        assert origin == download.BASE_URL + fname
        assert hash_algorithm == "sha256"
        assert socket.getdefaulttimeout() == download.STALL_SECONDS
        contents["asked"].append(fname)
        print("a progress bar")
        if isinstance(contents[fname], BaseException):
            raise contents[fname]
        path = Path(cache_dir, cache_subdir, fname)
        path.write_bytes(contents[fname])
        if hashlib.sha256(contents[fname]).hexdigest() != file_hash:
            raise ValueError("Incomplete or corrupted file detected.")
        return str(path)

    keras = types.SimpleNamespace(utils=types.SimpleNamespace(get_file=get_file))
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setattr(download, "unreachable", lambda url: None)
    return contents


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_four_files_arrive_in_the_cache(cache, served, capsys):
    before = socket.getdefaulttimeout()
    assert download.fetch(cache) == cache
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == CONTENTS
    assert socket.getdefaulttimeout() == before
    assert capsys.readouterr().out == ""


def test_only_the_files_that_are_missing_are_downloaded(cache, served):
    cache.mkdir(parents=True)
    for name in list(CONTENTS)[:3]:
        (cache / name).write_bytes(CONTENTS[name])
    download.fetch(cache)
    assert served["asked"] == list(CONTENTS)[3:]


def test_a_bad_download_is_refused_and_not_left_in_the_cache(cache, served):
    served[LABELS] = b"<html>Please log in to this network</html>"
    with pytest.raises(datasets.DataError) as caught:
        download.fetch(cache)
    message = str(caught.value)
    good = fashion_mnist.FILES[LABELS]
    assert message.startswith(f"{download.BASE_URL}{LABELS} is not the published file")
    assert f"Expected: {good.bytes} bytes, sha256 {good.sha256}." in message
    assert "Received: 42 bytes, sha256 " in message
    # The good file that came before it stays; of the bad one, and on the way, there is nothing.
    assert files_below(cache) == {"train-images-idx3-ubyte.gz"}


@pytest.mark.parametrize("failure", [Exception("URL fetch failure"), TimeoutError("timed out")])
def test_a_connection_that_breaks_leads_to_the_digits(cache, served, failure, monkeypatch):
    served[LABELS] = failure
    with pytest.raises(download.Unavailable, match=str(failure)):
        download.fetch(cache)
    assert files_below(cache) == {"train-images-idx3-ubyte.gz"}
    monkeypatch.setattr(search, "find", lambda data_dir: (None, ["nowhere"]))
    monkeypatch.setattr(search, "keras_cache", lambda: cache)
    fallback = datasets.load()
    assert fallback.name == "digits"
    assert f"nor downloaded ({failure})" in fallback.fallback_reason


def test_an_interrupted_download_leaves_nothing_behind(cache, served):
    served[LABELS] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        download.fetch(cache)
    assert files_below(cache) == {"train-images-idx3-ubyte.gz"}


def test_a_cache_that_cannot_be_made_is_a_reason_not_a_crash(tmp_path, served):
    (tmp_path / "keras").write_text("a file where the folder should be")
    with pytest.raises(download.Unavailable, match="cannot be written to"):
        download.fetch(tmp_path / "keras" / "datasets")


def test_without_keras_the_reason_is_given(cache, monkeypatch):
    monkeypatch.setattr(download, "unreachable", lambda url: None)
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(download.Unavailable, match="Keras, which downloads it, cannot be imported"):
        download.fetch(cache)


def test_without_a_network_keras_is_not_even_imported(cache, monkeypatch):
    monkeypatch.setattr(download, "unreachable", lambda url: f"{url} is far away")
    monkeypatch.setattr(download, "_keras_get_file", lambda: pytest.fail("imported Keras"))
    with pytest.raises(download.Unavailable, match="https://.*/tf-keras-datasets/.*is far away"):
        download.fetch(cache)
    assert not cache.exists()


def test_tensorflow_is_quiet_unless_told_otherwise(served, monkeypatch):
    download._keras_get_file()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    download._keras_get_file()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"


@pytest.fixture
def name_server_hangs(monkeypatch):
    """Looking up a host's address does not return until the test is over."""
    over = threading.Event()

    def getaddrinfo(*args, **kwargs):
        over.wait()
        raise socket.gaierror("the test is over")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(urllib.request, "getproxies", dict)
    monkeypatch.setattr(urllib.request, "_opener", None)
    yield
    over.set()


def test_a_host_that_is_never_found_is_given_up(name_server_hangs):
    reason = download.unreachable("http://example.invalid/file", seconds=0.05)
    assert reason == "http://example.invalid/file did not answer within 0.05 seconds"


def test_the_digits_are_reached_although_the_network_hangs(name_server_hangs, cache, monkeypatch):
    # The probe is the only wait on the way to the digits, which must take less than ten seconds.
    assert download.PROBE_SECONDS <= 5
    monkeypatch.setattr(download, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(search, "find", lambda data_dir: (None, ["nowhere"]))
    monkeypatch.setattr(search, "keras_cache", lambda: cache)
    fallback = datasets.load()
    assert fallback.name == "digits"
    assert "did not answer within 0.05 seconds" in fallback.fallback_reason


@pytest.mark.parametrize(
    "failure",
    [
        urllib.error.URLError(OSError("Name or service not known")),
        urllib.error.HTTPError("http://x", 403, "Forbidden", None, None),
        ConnectionResetError("Connection reset by peer"),
    ],
)
def test_a_failed_request_is_named(failure, monkeypatch):
    def urlopen(request, timeout):
        assert request.get_method() == "HEAD"
        assert timeout == download.PROBE_SECONDS
        raise failure

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    reason = download.unreachable("http://x/file")
    assert reason.startswith("http://x/file cannot be reached: ")
    assert str(getattr(failure, "reason", failure)) in reason


def test_a_file_that_can_be_asked_for_is_reachable(tmp_path):
    (tmp_path / "file").write_bytes(b"here")
    assert download.unreachable((tmp_path / "file").as_uri()) is None
    assert "cannot be reached" in download.unreachable((tmp_path / "other").as_uri())


def test_with_the_real_keras(tmp_path, cache, monkeypatch, capsys):
    server = tmp_path / "server"
    server.mkdir()
    for name, contents in CONTENTS.items():
        (server / name).write_bytes(contents)
    monkeypatch.setattr(download, "BASE_URL", server.as_uri() + "/")
    (server / LABELS).write_bytes(b"something else")
    with pytest.raises(datasets.DataError, match="Received: 14 bytes"):
        download.fetch(cache)
    assert files_below(cache) == {"train-images-idx3-ubyte.gz"}

    (server / LABELS).write_bytes(CONTENTS[LABELS])
    download.fetch(cache)
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == CONTENTS
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Downloading data from" in printed.err

    (server / LABELS).unlink()
    (cache / LABELS).unlink()
    with pytest.raises(download.Unavailable, match="URL fetch failure"):
        download.fetch(cache)
