"""The download, without a network: from a server on this machine, or with what asks replaced."""

import hashlib
import http.server
import socket
import subprocess
import sys
import threading
from collections import Counter

import pooch
import pytest
import requests

from compare.document import progress
from compare.inputs import datasets
from compare.inputs.datasets import download, fashion_mnist, search

CONTENTS = {name: f"the contents of {name}".encode() for name in fashion_mnist.FILES}
FIRST, LABELS = list(CONTENTS)[:2]


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Four short texts are the published files; nothing waits, and no proxy is asked."""
    for name, contents in CONTENTS.items():
        known = fashion_mnist.Official(len(contents), hashlib.sha256(contents).hexdigest(), (1,))
        monkeypatch.setitem(fashion_mnist.FILES, name, known)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "keras" / "datasets" / "fashion-mnist"


class Server(http.server.ThreadingHTTPServer):
    """Has `contents` by name, and counts in `asked` how often each was sent.

    A list is sent item by item, one for each time it is asked for; None breaks the connection in
    the middle.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents, self.asked = dict(CONTENTS), Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.do_GET(head=True)

    def do_GET(self, head=False):
        name = self.path.lstrip("/")
        if name not in self.server.contents:
            return self.send_error(403)
        body = self.server.contents[name]
        if isinstance(body, list):
            body = body[min(self.server.asked[name], len(body) - 1)]
        self.send_response(200)
        self.send_header("Content-Length", str(1000 if body is None else len(body)))
        self.end_headers()
        if not head:
            self.server.asked[name] += 1
            self.wfile.write(b"the beginning" if body is None else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setattr(download, "BASE_URL", server.url)
        yield server
        server.shutdown()
        thread.join()


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_four_files_arrive_in_the_cache(cache, server, capsys):
    assert download.fetch(cache) == cache
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == CONTENTS
    assert server.asked == dict.fromkeys(CONTENTS, 1)
    printed = capsys.readouterr()
    assert printed.out == printed.err == "", "nobody watches"


def test_only_the_files_that_are_missing_are_downloaded(cache, server):
    cache.mkdir(parents=True)
    for name in list(CONTENTS)[:3]:
        (cache / name).write_bytes(CONTENTS[name])
    download.fetch(cache)
    assert list(server.asked) == list(CONTENTS)[3:]


def test_a_bad_download_is_tried_again_refused_and_not_left_in_the_cache(cache, server):
    server.contents[LABELS] = b"<html>Please log in to this network</html>"
    with pytest.raises(datasets.DataError) as caught:
        download.fetch(cache)
    message = str(caught.value)
    good = fashion_mnist.FILES[LABELS]
    assert message.startswith(f"{server.url}{LABELS} is not the published file")
    assert f"Expected: {good.bytes} bytes, sha256 {good.sha256}." in message
    assert "Received: 42 bytes, sha256 " in message
    assert server.asked[LABELS] == 1 + download.RETRIES
    # The good file that came before it stays; of the bad one, and on the way, there is nothing.
    assert files_below(cache) == {FIRST}


@pytest.mark.parametrize("bad", [None, b"something else"])
def test_what_went_wrong_once_is_mended_by_another_try(cache, server, bad):
    server.contents[LABELS] = [bad, CONTENTS[LABELS]]
    download.fetch(cache)
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == CONTENTS
    assert server.asked[LABELS] == 2


def test_a_connection_that_breaks_leads_to_the_digits(cache, server, monkeypatch):
    server.contents[LABELS] = None
    with pytest.raises(download.Unavailable, match=f"{LABELS}: Connection broken: Incompl"):
        download.fetch(cache)
    assert files_below(cache) == {FIRST}
    monkeypatch.setattr(search, "find", lambda data_dir: (None, ["nowhere"]))
    monkeypatch.setattr(search, "keras_cache", lambda: cache)
    fallback = datasets.load()
    assert fallback.name == "digits"
    said = f"nor downloaded ({server.url}{LABELS}: Connection broken: IncompleteRead"
    assert said in fallback.fallback_reason


def test_a_file_that_is_refused_is_named(cache, server):
    del server.contents[LABELS]
    with pytest.raises(download.Unavailable, match=f"{LABELS}: 403 Client Error: Forbidden"):
        download.fetch(cache)


def test_a_connection_that_goes_silent_is_given_up(cache, server, monkeypatch):
    seen = []
    get = requests.get
    monkeypatch.setattr(requests, "get", lambda *args, **options: (
        seen.append(options["timeout"]), get(*args, **options))[1])
    download.fetch(cache)
    assert seen == [download.STALL_SECONDS] * 4


def test_an_interrupted_download_leaves_nothing_behind(cache, server, monkeypatch):
    def broken_off(name, contents, where, advice):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "check_official", broken_off)
    with pytest.raises(KeyboardInterrupt):
        download.fetch(cache)
    assert files_below(cache) == set()


def test_a_cache_that_cannot_be_made_is_a_reason_not_a_crash(tmp_path, server):
    (tmp_path / "keras").write_text("a file where the folder should be")
    with pytest.raises(download.Unavailable, match="cannot be written to"):
        download.fetch(tmp_path / "keras" / "datasets")


def test_without_a_network_pooch_is_not_even_asked(cache, monkeypatch):
    monkeypatch.setattr(download, "unreachable", lambda url: f"{url} is far away")
    monkeypatch.setattr(pooch, "create", lambda *args, **options: pytest.fail("asked pooch"))
    with pytest.raises(download.Unavailable, match="https://.*/tf-keras-datasets/.*is far away"):
        download.fetch(cache)
    assert not cache.exists()


def test_who_watches_sees_the_bytes_arrive_and_keeps_nothing_on_the_screen(cache, server,
                                                                           monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "lively", lambda stream: True)
    with progress.watched():
        download.fetch(cache)
    printed = capsys.readouterr()
    first, *drawn = printed.err.split("\n")
    assert first.startswith("Fashion-MNIST is not on this machine: downloading it into")
    assert all(f"\rDownloading {name}" in printed.err for name in CONTENTS)
    assert drawn[-1].endswith("\r") and len(drawn) == 1 and printed.out == ""


def test_neither_keras_nor_tensorflow_is_started():
    code = ("import sys, pathlib, tempfile; from compare.inputs.datasets import download\n"
            "download.unreachable = lambda url: None\n"
            "download.BASE_URL = 'http://127.0.0.1:9/'; download.RETRIES = 0\n"
            "try: download.fetch(pathlib.Path(tempfile.mkdtemp()))\n"
            "except download.Unavailable as error: print(error)\n"
            "print({'keras', 'tensorflow'} & set(sys.modules))")
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.endswith("set()\n") and "refused" in found.stdout


@pytest.fixture
def name_server_hangs(monkeypatch):
    """Looking up a host's address does not return until the test is over."""
    over = threading.Event()

    def getaddrinfo(*args, **kwargs):
        over.wait()
        raise socket.gaierror("the test is over")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("NO_PROXY", "*")
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


def test_a_failed_request_is_named(server):
    gone = server.url + "gone"
    reason = download.unreachable(gone)
    assert reason.startswith(f"{gone} cannot be reached: 403 Client Error")
    nobody = "http://127.0.0.1:9/file"
    reason = download.unreachable(nobody)
    assert reason.startswith(f"{nobody} cannot be reached: ") and "refused" in reason
    assert "Max retries" not in reason


def test_a_file_that_can_be_asked_for_is_reachable(server):
    assert download.unreachable(server.url + LABELS) is None
    assert not server.asked, "its headers are enough"
