"""The files of a run of random networks: a program for each failure, which shows it again."""

import pprint
from pathlib import Path

from compare.document.files import write_text
from compare.evaluation.fuzzing.running import Failure, Result


def write_scripts(result: Result, directory) -> list[Path]:
    """Writes a program for each failure into a directory that exists; returns their paths."""
    scripts = {Path(directory) / f"network_{failure.number}.py": script(failure)
               for failure in result.failures}
    for path, text in scripts.items():
        write_text(path, text)
    return list(scripts)


def script(failure: Failure) -> str:
    """A Python program that builds the smallest network and judges it."""
    said = " ".join(failure.smallest_outcome.message.split())[:80]
    network = pprint.pformat(failure.smallest.plain(), width=98, sort_dicts=False)
    return (f"# gate '{failure.outcome.gate}': {said}\n"
            "from compare.evaluation.fuzzing import Specification, judge\n\n"
            f"NETWORK = (\n{network}\n)\n"
            "print(judge(Specification.from_plain(NETWORK)))\n")
