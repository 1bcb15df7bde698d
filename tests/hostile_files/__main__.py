"""Spoils models', weights' and traces' files at random and watches what reading them does.

    python -m tests.hostile_files --count 2000 --seed 0

None may have code executed, a module imported, another file or a connection opened, take more than
100 MB beyond what the file holds or 5 seconds of computing, or end in anything but a message of one
line. Files that did are kept in the folder that is named at the end. Exits with 1 if there are any.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.hostile_files.running import run


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile_files", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    args = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))

    def told(done):
        print(f"{done} of {args.count}", file=sys.stderr, flush=True)

    outcome = run(folder / "files", args.count, args.seed, told)
    print(f"{args.count} files, seed {args.seed}: {outcome.ended['read']} read, "
          f"{outcome.ended['refused']} refused, {outcome.ended['other']} neither. At most "
          f"{outcome.seconds:.2f} s of computing and {outcome.bytes / 1e6:.0f} MB for one.")
    for name, what in outcome.findings:
        print(f"{name}: {what}")
    if outcome.findings:
        print(f"They are in {folder}.")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
