"""Where results go: standard output, JSON, a page, a folder, JUnit, GitHub.

A subcommand says what it has, as functions that make it; the options say what of it is wanted.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from compare.cli import clashes, colour
from compare.document import files, progress
from compare.document.text import line

FILES = ("json", "html", "junit", "pytest")
FOLDERS = ("out", "keep")
WITH_RUNS = (*FOLDERS, "runs")


def require_writable(args, written: Sequence[str] = FILES,
                     folders: Sequence[str] = FOLDERS) -> None:
    """Refuse paths that cannot be written to, or must not be, before the work begins.

    Folders are made.

    Args:
        written, folders: options that name a file to write, or a folder to write into.

    Raises:
        OSError: for a path that cannot be written to.
        ValueError: for one that is read from, or that another option names too.
    """
    clashes.refuse(args, written, folders)
    for options, require in ((folders, files.require_writable_directory),
                             (written, files.require_writable_file)):
        for option in options:
            if getattr(args, option, None):
                require(getattr(args, option), f"--{option}")


def exit_code(report) -> int:
    """The report's, and a line on standard error where that is 2: the check could not decide."""
    if report.exit_code == 2:
        row = report.undecided
        colour.tell(line(f"parity: no verdict: {row.name} is not judged: "
                         f"{row.note.removeprefix('not judged: ')}"))
    return report.exit_code


def publish(args, result, render: Callable, **kinds: Callable) -> None:
    """Write the files that the options ask for, print the result, and say what was written.

    The result is printed also if a file failed, since a full disk must not cost it.

    Args:
        render: makes the text of a result in a table format.
        kinds: see `write_files`.
    """
    written: list = []
    try:
        written += write_files(args, result, **kinds)
    finally:
        colour.show(render(result, args.format), args.format, end="")
    for path in written:
        colour.tell(f"Wrote {path}")


def write_files(args, result, as_json: Callable, page: Callable | None = None,
                junit: Callable | None = None, folder: Callable | None = None) -> list:
    """Write those files that the options ask for, each whole or not at all; returns their paths.

    Args:
        as_json, page, junit: make the text of a result, for --json, --html and --junit.
        folder: writes into a directory that exists, as (result, directory), and returns the paths;
            for --out or --keep.

    Raises:
        ValueError: for a file of a name that one in the folder has; that one stays.
    """
    written: list = []
    in_folder: list = []
    try:
        for option in FOLDERS:
            path = getattr(args, option, None)
            if path and folder:
                with progress.during(f"Writing {path}"):
                    in_folder += folder(result, Path(path))
    finally:  # the smaller files may still find their place on a full disk
        written += write_single(args, result, set(map(clashes.place, in_folder)), as_json=as_json,
                                page=page, junit=junit)
    return written + in_folder


def write_single(args, result, taken: set[str], **makers: Callable | None) -> list:
    """As `write_files`, without a folder; `taken` are the places that are no longer free."""
    written: list = []
    for option, kind in (("json", "as_json"), ("html", "page"), ("junit", "junit")):
        make = makers[kind]
        path = getattr(args, option, None)
        if path and make:
            if clashes.place(path) in taken:
                raise ValueError(f"expected --{option} to name a file of its own. Received: {path},"
                                 " which has just been written beside other results. Give "
                                 "another path")
            with progress.during(f"Writing {path}"):
                files.write_text(path, make(result))
            written.append(path)
    return written


def write(args, report, about: str, smallest: str = "", pictured=None) -> None:
    """Every output of a report that the options ask for.

    Args:
        report: a `compare.Report`.
        about: what was checked on what.
        smallest: the smallest failing case as text, if one was looked for.
        pictured: its result as a `compare.checks.excerpt.Excerpt`, if there is one.
    """
    from compare.document.plain_json import dumps
    from compare.report import github_annotations

    def page(report):
        from compare.report.page import report_page

        return report_page(report, about, facts(args), smallest, pictured)

    def as_junit(report):
        from compare.report.junit import junit

        return junit(report, args.model or getattr(args, "golden", None) or "benchmark")

    write_files(args, report, lambda found: dumps({"about": about, **found.as_dict()}), page,
                as_junit)
    if github_annotations.wanted(args.github):
        for line in github_annotations.annotations(report, about):
            print(line)
        github_annotations.write_summary(report, about)


def facts(args) -> dict[str, str]:
    """Command, time, machine and versions, for the end of a page."""
    import datetime

    from compare.experiments.execution.environment import environment

    now = datetime.datetime.now(datetime.UTC)
    return {"command": args.command_line, "made": f"{now:%Y-%m-%d %H:%M} UTC", **environment()}
