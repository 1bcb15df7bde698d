"""Where results go besides standard output: JSON, HTML, folders, JUnit, GitHub."""

import contextlib
from collections.abc import Iterator

from compare.cli import colour
from compare.document import files, progress

OPTIONS = ("json", "html", "junit")


def require_writable(args, options=OPTIONS) -> None:
    """Refuse paths that cannot be written to before the work begins."""
    for option in options:
        if getattr(args, option):
            files.require_writable_file(getattr(args, option), f"--{option}")


@contextlib.contextmanager
def showing(render, result, tablefmt: str) -> Iterator[list]:
    """Around the writing of files: then prints the result, also if one of them failed, since a full
    disk must not cost it. Says which files were written, as the list that is given tells.

    Args:
        render: makes the text of a result in a table format.
    """
    written: list[str] = []
    try:
        yield written
    finally:
        colour.show(render(result, tablefmt), tablefmt, end="")
    for path in written:
        colour.tell(f"Wrote {path}")


def write(args, report, about: str, smallest: str = "") -> None:
    """Every output that the options ask for.

    Args:
        report: a `compare.Report`.
        about: what was checked on what.
        smallest: the smallest failing case as text, if one was looked for.
    """
    from compare.report import github_annotations

    if args.json:
        from compare.document.plain_json import dumps

        with progress.during(f"Writing {args.json}"):
            files.write_text(args.json, dumps({"about": about, **report.as_dict()}))
    if args.html:
        with progress.during(f"Writing {args.html}"):
            from compare.report.page import report_page

            files.write_text(args.html, report_page(report, about, facts(args), smallest))
    if args.junit:
        from compare.report.junit import junit

        files.write_text(args.junit, junit(report, about.splitlines()[0]))
    if github_annotations.wanted(args.github):
        for line in github_annotations.annotations(report, about):
            print(line)
        github_annotations.write_summary(report, about)


def facts(args) -> dict[str, str]:
    """Command, time, machine and versions, for the end of a page."""
    import datetime

    from compare.experiments.execution.environment import environment

    now = datetime.datetime.now(datetime.timezone.utc)
    return {"command": args.command_line, "made": f"{now:%Y-%m-%d %H:%M} UTC", **environment()}
