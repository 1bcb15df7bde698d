"""Makes the outputs that README.md, FUZZED.md and PERFORMANCE.md of compare/guides show.

Runs the commands and puts what they print in its place.

    python -m tests.readme                                    # all; takes more than an hour
    python -m tests.readme check debug                        # some
    python -m tests.readme bench --from report/report.json    # from what an earlier run left
    python -m tests.readme --list                             # which there are

`--from` takes the JSON of a benchmark (`parity bench --out report`), or a file that holds what the
command printed (`parity fuzz ... > fuzz.txt`). What a command prints is put in as soon as it is
done; if one fails, its blocks stay as they were.
"""

import argparse
import sys
from pathlib import Path

from tabulate import tabulate

from compare.document.files import write_text
from tests.readme import blocks, running
from tests.readme.blocks import PAGES, README, Block
from tests.readme.makers import MAKERS


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 1 if a command failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.readme", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [block for page in PAGES for block in blocks.find(read(page))]
    known = list(dict.fromkeys(block.name for block in every))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(known)}")
    parser.add_argument("--list", action="store_true", help="tell all, and how long each takes")
    parser.add_argument("--from", dest="file", type=Path, metavar="FILE",
                        help="what an earlier run of the one NAME left behind")
    args = parser.parse_args(argv)
    if unknown := [name for name in args.names if name not in known]:
        parser.error(f"expected some of {', '.join(known)}. Received: {', '.join(unknown)}")
    if args.file and len(args.names) != 1:
        parser.error(f"expected one NAME with --from. Received: {len(args.names)}")
    if args.list:
        rows = dict.fromkeys((block.name, block.about, block.command) for block in every)
        print(tabulate(list(rows), ("name", "takes", "command")))
        return 0
    results = [renew(name, args.file) for name in args.names or known]
    return 0 if all(results) else 1


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def renew(name: str, file: Path | None = None) -> bool:
    """Make the blocks of that name anew; says what was done, or why not.

    Args:
        file: what an earlier run left behind; None runs the command.
    """
    command, about = next((block.command, block.about) for page in PAGES
                          for block in blocks.find(read(page)) if block.name == name)
    try:
        if file:
            output = running.read(file)
        else:
            print(f"{command} ({about}) ...", file=sys.stderr)
            output = running.run(command, blocks.files(read(README)))
        new = {page: renewed(read(page), name, output) for page in PAGES}
    except (ValueError, RuntimeError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    for page, text in new.items():
        if text != read(page):
            write_text(page, text)
            print(f"{name}: wrote {page.name}", file=sys.stderr)
    return True


def renewed(text: str, name: str, output: running.Output) -> str:
    """A page with all blocks of that name made of this output."""
    return blocks.replaced(text, {block: made(block, output) for block in blocks.find(text)
                                  if block.name == name})


def made(block: Block, output: running.Output) -> str:
    """What a block becomes.

    Raises:
        ValueError: if the output has not what the block is made of.
    """
    if block.maker is None:
        if output.printed is None:
            raise ValueError("Expected a file with what was printed. Received: JSON of a command "
                             "whose text cannot be made of it")
        return block.of_lines(output.printed)
    if output.record is None:
        raise ValueError(f"Expected JSON, for '{block.name} {block.maker}'. Received: none")
    return MAKERS[block.maker](output.record)


if __name__ == "__main__":
    sys.exit(main())
