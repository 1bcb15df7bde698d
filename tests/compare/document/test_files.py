"""Files are whole or not there, and paths are tried before the work."""

import os
import stat
import threading

import pytest

from compare.document import files


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    files.write_text(path, "new \u00e9")
    assert path.read_text(encoding="utf-8") == "new \u00e9"
    assert os.listdir(tmp_path) == ["result.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.replacing(path) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.txt"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    files.write_text(link, "new")
    assert link.is_symlink() and (tmp_path / "real").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_regular_file_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    files.require_writable_file(pipe, "--json")
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    files.write_text(pipe, "through")
    reader.join(10)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_directory_is_made_and_left_empty(tmp_path):
    files.require_writable_directory(tmp_path / "a" / "b", "--out")
    files.require_writable_directory(tmp_path / "a" / "b", "--out")
    assert os.listdir(tmp_path / "a" / "b") == []


def test_a_file_where_a_directory_should_be(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="--out: expected a directory.* Received: .*file"):
            files.require_writable_directory(path, "--out")


def test_places_where_no_file_can_be(tmp_path):
    with pytest.raises(IsADirectoryError, match="--json: expected a file"):
        files.require_writable_file(tmp_path, "--json")
    with pytest.raises(FileNotFoundError, match="--json: .* no directory"):
        files.require_writable_file(tmp_path / "missing" / "x.json", "--json")
    files.require_writable_file(tmp_path / "x.json", "--json")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0,
                    reason="permissions do not bind this user")
def test_a_directory_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OSError, match="--out: expected a place that can be written to"):
            files.require_writable_directory(tmp_path, "--out")
    finally:
        tmp_path.chmod(0o700)


def test_what_is_replaced_keeps_its_mode(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    path.chmod(0o640)
    files.write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and path.read_text() == "new"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(OSError) as error:
        files.write_text("/dev/full", "x" * 100_000)
    assert error.value.filename == "/dev/full" and "No space left" in error.value.strerror


def test_a_file_that_cannot_be_made_is_named_by_its_own_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as error:
        files.write_text(tmp_path / "file" / "below", "x")
    assert error.value.filename == str(tmp_path / "file" / "below")


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="needs /dev/fd")
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_what_is_open_already_is_written_on(kind, tmp_path):
    """A file that is open, as /dev/stdout may be, keeps what was written to it before."""
    read, write = os.pipe()
    if kind == "file":
        os.close(write)
        write = os.open(tmp_path / "open", os.O_WRONLY | os.O_CREAT)
    try:
        os.write(write, b"before ")
        files.require_writable_file(f"/dev/fd/{write}", "--json")
        files.write_text(f"/dev/fd/{write}", "through")
        os.write(write, b" after")
        got = (tmp_path / "open").read_bytes() if kind == "file" else os.read(read, 100)
        assert got == b"before through after"
    finally:
        os.close(read)
        os.close(write)
    with pytest.raises(OSError, match="--json: expected something that is open"):
        files.require_writable_file(f"/dev/fd/{write}", "--json")


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="needs /dev/fd")
def test_a_pipe_that_nobody_reads_is_named():
    read, write = os.pipe()
    os.close(read)
    try:
        with pytest.raises(BrokenPipeError) as error:
            files.write_text(f"/dev/fd/{write}", "x")
        assert error.value.filename == f"/dev/fd/{write}"
    finally:
        os.close(write)
