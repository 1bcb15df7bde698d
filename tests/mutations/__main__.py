"""`python -m tests.mutations [PART OF A NAME ...]`: which changes the tests notice, and the score.

Exits 1 if some change was not noticed. `--list` names them all.
"""

import sys
import tempfile
from pathlib import Path

from compare.document import progress
from tests.mutations.catalogue import MUTATIONS
from tests.mutations.trying import copied, noticed


def main(arguments: list[str]) -> int:
    """Tries those whose name has one of the arguments in it, or all."""
    chosen = [mutation for mutation in MUTATIONS if not arguments or arguments == ["--list"]
              or any(part in mutation.name for part in arguments)]
    if arguments == ["--list"]:
        print("\n".join(mutation.name for mutation in chosen))
        return 0
    if not chosen:
        print(f"Expected a part of a mutation's name. Received: {' '.join(arguments)}",
              file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        project = copied(Path(folder))
        count = 0
        for mutation in progress.each(chosen, "Mutations"):
            try:
                seen = noticed(mutation, project)
            except RuntimeError as error:
                print(f"Not decided: {error}", flush=True)
                continue
            count += seen
            if not seen:
                print(f"Not noticed: {mutation.name} ({mutation.file})", flush=True)
    print(f"{count} of {len(chosen)} mutations are noticed by the tests.")
    return 0 if count == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
