"""Reads files in a process of its own that is watched: what it opens, imports, executes and takes.

    python -m tests.hostile_files.watched FILE ...      a line of JSON on standard output for each

Python tells of its doings by audit hooks (PEP 578). What HDF5 opens by itself no hook hears of:
for that there is a file that nobody has a reason to read, whose time of last access tells.
"""

import contextlib
import gc
import io
import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path

import scratch
from compare import cli
from compare.inputs import batches, twins
from tests.hostile_files import samples

# Python's own events that reading a file has no reason to cause
FOREIGN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn",
           "os.spawn", "ctypes.", "pickle.", "os.remove", "os.rename", "os.mkdir",
           "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.truncate", "shutil.", "urllib.",
           "ftplib.", "http.", "webbrowser.", "tempfile.")
KNOWN = {"scratch", "compare", "tests", "numpy", "h5py", "scipy", "tabulate",
         *sys.stdlib_module_names}
SYSTEM = ("/proc/meminfo", "/proc/self/", "/sys/fs/cgroup/")
MESSAGE = 4000  # characters
SECONDS = 60  # of computing, after which the system ends the process
MORE = 4 << 30  # bytes of addresses, beyond which nothing is given to it

watching = False
case: str = ""
seen: list[str] = []


def hook(event: str, arguments) -> None:
    """Notes what is foreign to the reading of a file."""
    if not watching:
        return
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, int):
            return
        name = os.fspath(path)
        name = name.decode(errors="replace") if isinstance(name, bytes) else name
        reads = not flags or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not reads or not (name == case or name.startswith(SYSTEM) or of_python(name)):
            seen.append(f"opens {name!r:.200}")
    elif event == "import":
        if arguments[0].split(".")[0] not in KNOWN:
            seen.append(f"imports {arguments[0]!r:.200}")
    elif event == "exec":
        where = getattr(arguments[0], "co_filename", "")
        if not of_python(where) and not where.startswith("<frozen"):
            seen.append(f"executes code from {where!r:.200}")
    elif event.startswith(FOREIGN):
        seen.append(f"{event} {arguments!r:.200}")


def of_python(name: str) -> bool:
    """Whether that is a source file of Python, of a library, or of this project."""
    return name.endswith((".py", ".pyc", ".so")) and name.startswith(
        (sys.prefix, sys.base_prefix, str(Path(scratch.__file__).parents[1])))


def read(path: Path) -> str:
    """Read a file in every way that it may be; how that ended: 'read', 'refused', or what else."""
    batch = path.name.endswith(samples.BATCH)
    if path.suffix == ".npz" and not batch:
        return checked(path)
    ways = [batches.from_file] if batch else [samples.network().load_weights]
    if path.suffix in (".keras", ".h5"):
        ways += [scratch.load_model, twins.candidate]
    ended = "read"
    for way in ways:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                way(str(path))
        except ValueError as error:
            if path.name not in str(error) or len(str(error)) > MESSAGE:
                return f"a message that is too long or names no file: {str(error)!r:.300}"
            ended = "refused"
        except Exception as error:
            return f"{type(error).__name__}: {str(error)!r:.300}"
    return ended


def checked(path: Path) -> str:
    """How `parity check --golden` ends, which reads the trace and runs the network in it."""
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told), \
            warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = cli.main(["check", "--golden", str(path)])
        except BaseException as error:
            return f"{type(error).__name__}: {str(error)!r:.300}"
    error = told.getvalue()
    if code == 2 and "unexpected" not in error and len(error) < MESSAGE:
        return "refused"
    if code not in (0, 1) or "Traceback" in error:
        return f"exit code {code}, {error!r:.300}"
    hidden = {letter for letter in said.getvalue() if not letter.isprintable()} - {"\n"}
    return f"prints {hidden}" if hidden else "read"


def memory(name: str) -> int:
    """VmRSS or VmHWM of this process, in bytes: what it holds, and what it held at most."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def measured(path: Path, canary: Path) -> dict:
    """The result for one file: how it ended, seconds of computing, bytes beyond those before."""
    global watching, case
    gc.collect()
    seen.clear()
    case = str(path)
    os.utime(canary, (1, canary.stat().st_mtime))
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, started = memory("VmRSS"), time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(started) + SECONDS, resource.RLIM_INFINITY))
    watching = True
    ended = read(path)
    watching = False
    seconds, more = time.process_time() - started, memory("VmHWM") - before
    if canary.stat().st_atime != 1:
        seen.append("opens the file that HDF5 was pointed at")
    return {"ended": ended, "seconds": seconds, "bytes": more, "seen": list(dict.fromkeys(seen))}


def main() -> None:
    canary, *files = map(Path, sys.argv[1:])
    if sys.platform == "linux":
        limit = memory("VmSize") + MORE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for path in files[0].parent.glob("good/*"):  # what is loaded on first use is loaded now
        read(path)
    sys.addaudithook(hook)
    for path in files:
        print(json.dumps({"file": path.name}), flush=True)
        print(json.dumps(measured(path, canary)), flush=True)


if __name__ == "__main__":
    main()
