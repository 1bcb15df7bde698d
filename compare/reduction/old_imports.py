"""What old files import that is no longer there: an error that says what to do instead.

Tests written by `parity debug --pytest` before version 0.2 import modules of the package that have
moved since. Those that are written now call `compare.assert_case` alone.
"""

import sys

ANEW = ("{name} is no longer there. This test was written by an older version of parity: write it "
        "anew with `parity debug MODEL --pytest FILE.py`, MODEL being the 'module:callable' that "
        "stands in it. New ones call compare.assert_case and nothing else")
MOVED = {
    **dict.fromkeys(("compare.minimal", "compare.pairs", "compare.shrinking", "compare.steps"),
                    ANEW),
    "compare.network": "{name} is now compare.inputs.benchmark_networks",
}


class OldImports:
    """An import finder that is asked last, and knows what has gone."""

    @staticmethod
    def find_spec(name: str, path=None, target=None) -> None:
        """None, for a name that it does not know.

        Raises:
            ModuleNotFoundError: saying what to do.
        """
        if name in MOVED:
            raise ModuleNotFoundError(MOVED[name].format(name=name), name=name)


def install() -> None:
    """Let it be asked when no other finder has found a module."""
    if OldImports not in sys.meta_path:
        sys.meta_path.append(OldImports)
