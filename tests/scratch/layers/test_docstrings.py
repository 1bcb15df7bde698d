"""Every public layer class says what it takes, what shapes go in and come out, and shows it."""

import doctest
import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest

import scratch
from scratch import layers
from tests.scratch.support.layer_cases import LAYERS as CASES

CLASSES = [getattr(layers, name) for name in layers.__all__
           if name not in ("LAYERS", *layers.ALIASES)]
MODULES = sorted(module.name
                 for module in pkgutil.walk_packages(layers.__path__, "scratch.layers."))
SECTION = re.compile(r"^(Args|Input shape|Output shape|Attributes|Raises|Example):$", re.MULTILINE)
GLOBALS = {"np": np, "scratch": scratch}


def sections(cls) -> dict[str, str]:
    """The parts of a docstring of its own by their headings."""
    _, *parts = SECTION.split(inspect.cleandoc(vars(cls)["__doc__"]))
    return dict(zip(parts[::2], parts[1::2]))


def arguments_of(cls) -> set[str]:
    """What the constructor takes by its name: of its own, and what a config holds."""
    parameters = inspect.signature(cls).parameters.values()
    own = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    if cls.__name__ not in CASES:
        return own
    return own | CASES[cls.__name__][1](layers).get_config().keys()


def documented(cls) -> set[str]:
    named = re.findall(r"^    ([a-z]\w*(?:, \w+)*):", sections(cls)["Args"], re.MULTILINE)
    return {name for names in named for name in names.split(", ")}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_layer_says_what_it_takes_and_gives(cls):
    said = sections(cls)
    for heading in ("Args", "Input shape", "Output shape", "Example"):
        assert said.get(heading, "").strip(), heading
    assert doctest.DocTestParser().get_examples(said["Example"])


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_layer_names_each_of_its_arguments_and_no_other(cls):
    common = set() if cls is layers.Input else {"name", "trainable", "dtype"}
    assert arguments_of(cls) | common <= documented(cls)
    for name in documented(cls) - arguments_of(cls) - common:
        assert_taken(cls, name)


def assert_taken(cls, name):
    """That a layer of the class may be made with this argument, at its neutral value."""
    if cls not in (layers.Layer, layers.AffineLayer, layers.Recurrent, layers.Wrapper):
        config = CASES[cls.__name__][1](layers).get_config()
        assert name in ("activity_regularizer", *cls.neutral), name
        assert cls.from_config({**config, name: cls.neutral.get(name, (None,))[0]})


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_give_what_they_say(name):
    module = importlib.import_module(name)
    tests = doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=GLOBALS)
    said = []
    runner = doctest.DocTestRunner()
    for test in tests:
        runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)


def test_each_public_class_has_its_examples_run():
    assert {cls.__module__ for cls in CLASSES} <= set(MODULES)
    assert len(CLASSES) > 40
