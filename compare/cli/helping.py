"""How the command's help looks: fitting 80 columns, with examples to copy at its end."""

import argparse

from compare.document.terminal import WIDTH


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Texts as they are written, options in a column that leaves them room.

    The width is that of reports, whatever the window's: help is read in pipes and pages, too.
    """

    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=26, width=WIDTH)


class Parser(argparse.ArgumentParser):
    """As argparse's, with bad usage told in one line that ends in what to do next."""

    def __init__(self, *args, **options):
        super().__init__(*args, **{"formatter_class": Formatter, **options})

    def error(self, message: str):
        from compare.cli.errors import complain

        self.exit(complain(self.prog, message, f"Try: {self.prog} --help"))


def examples(*pairs: tuple[str, str]) -> str:
    """The end of a help: what one may want, and the command that does it.

    Args:
        pairs: ("what it does", "parity ..."); without the first, it goes on with the one before.
    """
    lines = ["examples:"]
    for what, command in pairs:
        lines += [f"  # {what}"] * bool(what) + [f"  {command}"]
    return "\n".join(lines)
