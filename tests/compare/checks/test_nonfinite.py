"""Infinities and NaN: on both sides, on one alone, in one sample among others."""

from xml.etree import ElementTree

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from compare.report import github_annotations
from compare.report.junit import junit
from compare.report.page import report_page
from tests.compare.support import examples
from tests.compare.support.report_rows import rows_of


def hot(**changed):
    """The network with a first kernel so large that its sums of products may overflow."""
    model = examples.network("inside", **changed)
    kernel = model.layers[0].params["kernel"]
    kernel[...] = np.abs(kernel) * np.float32(1e3)
    return model


def huge(sample: int):
    """A batch, one sample of which is plus infinity behind the first layer."""
    x, y = examples.batch()
    x[sample] = np.abs(x[sample]) * 1e38
    return x, y


@pytest.fixture(scope="module")
def hot_twin():
    return twins.twins(hot())[1]


def test_infinities_and_nan_pass_where_both_networks_have_the_same(hot_twin):
    report = compare.check(hot(), hot_twin, *huge(1), steps=0)
    assert not np.isfinite(compare.record(hot_twin, *huge(1)).parts[-2].output).all()
    assert all(row.passed for row in rows_of(report, "forward")), report
    assert any("NaN" in row.note or "infinite" in row.note for row in rows_of(report, "forward"))
    assert len(report.nonfinite) == 2
    assert report.nonfinite[0].startswith("candidate: conv output at [1, ")
    assert report.undecided and not report  # of which nothing is known, whatever else fails


@pytest.mark.parametrize("options", [{}, {"probes": False}])
def test_nan_on_both_sides_is_not_judged_and_never_holds(options):
    model, twin = examples.network(), examples.network()
    for each in (model, twin):
        each.get_layer("dense").params["kernel"][...] = np.nan
    report = compare.check(model, twin, *examples.batch(), steps=0, **options)
    assert not report and report.first_failure is None and report.exit_code == 2
    assert {"dense kernel", "dense output"} <= {row.name for row in report.rows if not row.judged}
    said = report.summary()
    assert said.startswith("No verdict: ") and "dense kernel" in said
    assert "not judged" in report.table() and report.as_dict()["passed"] is False
    assert report.as_dict()["rows"][report.rows.index(report.undecided)]["unjudged"] > 0
    with pytest.raises(AssertionError, match="No verdict"):
        compare.assert_parity(model, twin, *examples.batch(), steps=0, **options)
    assert "No verdict" in github_annotations.annotations(report, "about")[0]
    errors = [row for row in report.rows if row.decides and not row.judged]
    assert ElementTree.fromstring(junit(report).encode()).get("errors") == str(len(errors))
    assert "No verdict" in report_page(report, "about", {})


def test_a_failure_beside_nan_on_both_sides_is_a_failure():
    model, twin = examples.network(), examples.network()
    for each in (model, twin):
        each.get_layer("dense").params["kernel"][...] = np.nan
    model.get_layer("conv").params["bias"][0] += 1
    report = compare.check(model, twin, *examples.batch(), steps=0)
    assert report.exit_code == 1 and report.undecided
    assert report.summary().startswith("Parity does not hold")


class ZeroForNaN(scratch.Dense):
    """Hides NaN and infinities, as `nan_to_num` does."""

    def affine(self, x):
        return np.nan_to_num(super().affine(x), nan=0, posinf=0, neginf=0)


def test_nan_on_one_side_alone_is_a_failure_in_the_layer_where_it_arises(hot_twin):
    report = compare.check(hot(dense=ZeroForNaN), hot_twin, *huge(1), steps=0)
    first = report.first_failure
    assert (first.gate, first.name) == ("forward", "dense output") and first.index[0] == 1
    assert np.isinf(first.used) and "reference: " in first.note


class LastSampleOff(scratch.Dense):
    def affine(self, x):
        z = super().affine(x)
        z[-1, 0] *= np.float32(1 + 1e-3)
        return z


def test_an_infinite_sample_hides_no_mistake_in_another(hot_twin):
    report = compare.check(hot(dense=LastSampleOff), hot_twin, *huge(1), steps=0,
                           probes=False)
    first = report.first_failure
    assert (first.gate, first.name) == ("forward", "dense output")
    assert first.index == (4, 0) and first.over == 1 and first.off == "candidate"


def test_a_check_warns_of_nothing(hot_twin, recwarn):
    compare.check(hot(), hot_twin, *huge(0), steps=0)
    assert [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)] == []
