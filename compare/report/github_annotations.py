"""A report as workflow commands of GitHub Actions, which become notes beside a pull request.

Source: GitHub's documentation, "Workflow commands for GitHub Actions".
"""

import os

from compare.document.text import visible
from compare.report.report import Report, describe

MOST = 10  # annotations of one kind that GitHub shows for one step


def wanted(option: bool | None) -> bool:
    """Whether to print them: as the option says or, without one, where GitHub runs the command."""
    return os.environ.get("GITHUB_ACTIONS") == "true" if option is None else option


def annotations(report: Report, about: str) -> list[str]:
    """Lines to print: an error for each failure of its own, or if there is none a notice that
    parity holds, or an error if NaN kept it from being judged."""
    if report:
        return [command("notice", "Parity holds", f"{about}: {report.summary()}")]
    if report.first_failure is None:
        return [command("error", "No verdict", f"{about}: {report.summary()}")]
    own = [row for row in report.rows if not row.passed and not row.downstream]
    shown = own if len(own) <= MOST else own[:MOST - 1]
    lines = [command("error", f"Parity: {row.gate}, {row.name or 'network'}", describe(row))
             for row in shown]
    if len(shown) < len(own):
        lines.append(command("error", "Parity", f"{len(own) - len(shown)} more failures. "
                             f"{report.summary()}"))
    return lines


def command(kind: str, title: str, message: str) -> str:
    """'::error title=...::...', escaped; a message may have several lines."""
    title, message = visible(title, keep="\r\n"), visible(message, keep="\r\n")
    return f"::{kind} title={escaped(title, ':,')}::{escaped(message)}"


def escaped(text: str, besides: str = "") -> str:
    """With '%' and line breaks, and what separates properties, as GitHub reads them."""
    for character in "%\r\n" + besides:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def write_summary(report: Report, about: str) -> None:
    """Append verdict and table to the page of the job, where GitHub offers one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        sign = "✅" if report else "❌"
        with open(path, "a", encoding="utf-8") as page:
            page.write(f"### {sign} {about.splitlines()[0]}\n\n{report.summary()}\n\n"
                       f"{report.gates()}\n\n<details><summary>Rows</summary>\n\n"
                       f"{report.table('github')}\n\n</details>\n\n")
