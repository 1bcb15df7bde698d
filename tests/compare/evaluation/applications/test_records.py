"""The measurements of keras.applications: which there are, and how they read."""

from dataclasses import replace

import pytest

from compare.evaluation.applications import records
from compare.evaluation.applications.constructors import names, smallest
from compare.evaluation.applications.measuring import Measurement

ONE = Measurement("Small", 32, 12_345, 21, 0.5, 1.25, 3e-8)
CHECKED = replace(ONE, name="Other", check=41.6, rows=1_480, holds=True, bounded=False,
                  lockstep=True, memory=1_560_000_000, work=25.2)


def test_every_constructor_was_measured_and_none_fails(keras):
    found = records.kept()
    assert sorted(found) == names() and len(found) == 40
    assert all(one.holds is not False and one.lockstep is not False for one in found.values())
    assert all(one.apart < 1e-5 or one.apart_in_double < 1e-5 for one in found.values())
    assert any(one.holds for one in found.values())


def test_a_name_that_is_none_is_refused(keras):
    with pytest.raises(ValueError, match="Expected a network of keras.applications: .*VGG16.*"
                                         "Received: 'ResNet51'"):
        smallest("ResNet51")


def test_rows_of_the_table():
    assert records.row(ONE) == ["Small", "32x32", "12,345", "21", "0.5", "1.2", "3.0e-08", "-",
                                "-", "-", "-", "-", "-"]
    assert records.row(CHECKED)[7:] == ["1,480", "holds", "holds", "42", "25", "1,560"]
    assert records.row(replace(CHECKED, work=None))[11] == "-"
    failed = replace(CHECKED, holds=False, lockstep=False, said="forward: conv output")
    assert records.row(failed)[8:10] == ["fails: forward: conv output", "fails"]
    assert records.row(replace(ONE, apart=0.5, apart_in_double=6e-9))[6] == (
        "5.0e-01; in float64 6.0e-09")
    assert all(len(records.row(one)) == len(records.HEADERS) for one in (ONE, CHECKED, failed))


def test_what_is_kept_comes_back(tmp_path):
    found = {one.name: one for one in (ONE, CHECKED)}
    records.keep(found, tmp_path / "measured.json")
    assert records.kept(tmp_path / "measured.json") == found
    assert records.kept(tmp_path / "none.json") == {}
    said = records.summary(found, 40)
    assert said.startswith("2 of 40 networks load; 2 of them predict as Keras does")
    assert "1 were checked in full: parity holds for 1" in said
