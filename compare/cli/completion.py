"""`parity --print-completion SHELL`: what lets Tab complete commands, options and paths.

shtab writes the script from the parser. Which options take files and which folders is read off
the names that the help shows for their values.
"""

import argparse

SHELLS = ("bash", "zsh", "tcsh", "fish")


class Print(argparse.Action):
    """Prints the script for a shell, and ends the program."""

    def __call__(self, parser, namespace, values, option_string=None):
        try:
            print(script(parser, values))
        except ImportError as error:
            parser.error("Expected the library 'shtab' for shell completion. "
                         f"Received: {error}. Install it with: pip install shtab")
        parser.exit(0)


def add_option(parser) -> None:
    """--print-completion."""
    parser.add_argument("--print-completion", choices=SHELLS, metavar="SHELL", action=Print,
                        help="print what makes Tab complete this command, for bash, zsh, tcsh or "
                             "fish")


def script(parser, shell: str) -> str:
    """The script that a shell reads.

    Raises:
        ImportError: if shtab is not installed.
    """
    import shtab

    for action in every_action(parser):
        shown = action.metavar if isinstance(action.metavar, str) else ""
        if shown.startswith("FILE"):
            action.complete = shtab.FILE
        elif shown.startswith("DIR"):
            action.complete = shtab.DIRECTORY
        elif "--dataset" in action.option_strings:  # a wrong name is the loader's to refuse
            from compare.inputs import datasets

            action.choices = datasets.NAMES
    made = shtab.complete(parser, shell)
    # with a slash after a folder instead of a space, so that one can go on into it
    return made.replace("complete -o bashdefault ", "complete -o bashdefault -o filenames ")


def every_action(parser):
    """All options and arguments of a parser and of its subcommands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from every_action(subparser)
