"""A fixture for people's own tests: `parity`, installed with the package.

    def test_my_port(parity):
        parity(my_model, keras_model, x, y)         # live, against Keras
        parity(my_model, "golden.npz")              # against a trace, without Keras

A failure's first line, the one that pytest repeats at its end, says which layer, which tensor and
what is wrong with it. Below are the rows that failed, the first divergence and what was allowed.

Every run of pytest loads this, also beside projects that have nothing to do with it. So it is a
package of its own, whose name nobody else has, and imports nothing of this project before the
fixture is used.
"""

import os

import pytest


@pytest.fixture
def parity():
    """A function like `compare.assert_parity` that also takes the path of a recorded trace."""

    def assert_parity(model, twin, x=None, y=None, **options):
        compare = harness()
        from compare.document.sections import wrapped

        if isinstance(twin, (str, os.PathLike)):
            twin = compare.Trace.load(twin)
        report = compare.check(model, twin, x, y, **options)
        if not report:
            pytest.fail(f"{report.headline()}\n\n{report.failures()}\n\n"
                        f"{wrapped(report.summary())}", pytrace=False)
        return report

    return assert_parity


def harness():
    """The package `compare` that this plugin came with.

    Raises:
        pytest.UsageError: if another one of that name is in the way.
    """
    import compare

    if not hasattr(compare, "assert_parity"):
        raise pytest.UsageError("expected keras-parity's package compare for the fixture parity. "
                                f"Received: {compare.__file__ or list(compare.__path__)}, which is "
                                "in its way. Rename it, or run pytest without it on the path")
    return compare
