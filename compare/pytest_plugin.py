"""A fixture for people's own tests: `parity`, installed with the package.

    def test_my_port(parity):
        parity(my_model, keras_model, x, y)         # live, against Keras
        parity(my_model, "golden.npz")              # against a trace, without Keras

A failure shows the rows that failed, the first divergence and what was allowed, and nothing else.
"""

import os

import pytest


@pytest.fixture
def parity():
    """A function like `compare.assert_parity` that also takes the path of a recorded trace."""

    def assert_parity(model, twin, x=None, y=None, **options):
        import compare
        from compare.document.sections import wrapped

        if isinstance(twin, (str, os.PathLike)):
            twin = compare.Trace.load(twin)
        report = compare.check(model, twin, x, y, **options)
        if not report:
            pytest.fail(f"{report.failures()}\n\n{wrapped(report.summary())}", pytrace=False)
        return report

    return assert_parity
