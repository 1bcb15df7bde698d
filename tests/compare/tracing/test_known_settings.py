"""What is understood of a compile config, what is left out by name, and what stays as it was."""

import copy

import pytest

from compare.tracing.known_settings import LONGEST, NOT_CHECKED, stands_in, understood

KNOWN = {"optimizer": "adam", "loss": "mse", "metrics": ["mae"], "weighted_metrics": None}


def test_what_is_known_stays_as_it_is():
    assert understood(KNOWN) == (KNOWN, [])
    assert understood({}) == ({}, [])


@pytest.mark.parametrize("setting, kept, named", [
    ({"metrics": ["mae", "mine"]}, {"metrics": ["mae"]}, ["metric mine"]),
    ({"metrics": "mine"}, {"metrics": None}, ["metric mine"]),
    ({"weighted_metrics": ["mine", "mae"]}, {"weighted_metrics": ["mae"]}, ["metric mine"]),
    ({"metrics": ["a"], "weighted_metrics": ["b"]}, {"metrics": None, "weighted_metrics": None},
     ["metric a", "metric b"]),
    ({NOT_CHECKED: ["metric old"]}, {}, ["metric old"]),
    ({NOT_CHECKED: ["metric old"], "metrics": ["mine"]}, {"metrics": None},
     ["metric old", "metric mine"])])
def test_what_is_not_known_is_left_out_and_named(setting, kept, named):
    known, left_out = understood({**KNOWN, **setting})
    assert left_out == named == known.pop(NOT_CHECKED)
    assert known == {**KNOWN, **kept} and not stands_in(left_out)


def test_sgd_stands_in_for_an_optimizer_and_that_is_known():
    known, left_out = understood({**KNOWN, "optimizer": {"class_name": "Mine", "config": {}}})
    assert left_out == ["optimizer Mine"] == known[NOT_CHECKED] and stands_in(left_out)
    assert known["optimizer"]["class_name"] == "SGD" and known["loss"] == "mse"


def test_without_its_loss_nothing_is_left():
    settings = {**KNOWN, "loss": "mine", NOT_CHECKED: ["metric old"]}
    assert understood(settings) == (
        {}, ["metric old", "loss mine", "optimizer adam (no loss, no step)"])


@pytest.mark.parametrize("changed", [
    {"metrics": ["mae", "mine"]}, {"optimizer": "mine"}, {"loss": "mine"},
    {NOT_CHECKED: ["metric old"], "metrics": ["mine"]}])
def test_the_config_that_is_given_stays_as_it_was(changed):
    given = {**KNOWN, **changed}
    before = copy.deepcopy(given)
    understood(given)
    assert given == before


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1])
def test_long_names_are_cut(length):
    _, left_out = understood({**KNOWN, "metrics": ["m" * length]})
    assert left_out == [f"metric {'m' * LONGEST}{' ...' if length > LONGEST else ''}"]
