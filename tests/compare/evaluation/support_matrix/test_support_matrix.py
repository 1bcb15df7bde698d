"""The page of what is supported: current, and made of what really happens."""

from pathlib import Path

import pytest

import compare
import scratch
from compare.evaluation import deviations
from compare.evaluation.support_matrix import trial
from compare.evaluation.support_matrix.outcome import Outcome, rows

PAGE = Path(compare.__file__).parent / "guides" / "SUPPORT.md"


@pytest.fixture(scope="module")
def committed():
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture
def current(keras, committed):
    """The committed page, where it goes by the Keras that is here."""
    if f"Keras {keras.__version__}," not in committed:
        pytest.skip(f"the page goes by another Keras than {keras.__version__}")
    return committed


@pytest.mark.long
def test_the_page_is_current(current):
    from compare.evaluation.support_matrix.page import page

    assert page() == current, \
        "run: python -m compare.evaluation.support_matrix > compare/guides/SUPPORT.md"


@pytest.mark.parametrize("family", ["core", "merging", "regularization", "reshaping"])
def test_the_layers_of_a_family_are_current(keras, current, family):
    """What the whole page takes longest for, by the quickest families."""
    from compare.evaluation.support_matrix import layers
    from compare.evaluation.support_matrix.page import layer_table

    supported = [cls for cls in layers.classes(keras)[family] if layers.is_supported(cls)]
    assert layer_table(supported) in current


@pytest.mark.parametrize("section", [
    "coverage", "application_section", "difference_section", "model_sections"])
def test_a_section_is_current(current, section):
    from compare.evaluation.support_matrix import page

    assert getattr(page, section)() in current


def test_everything_that_scratch_has_is_on_the_page(committed):
    layers = [name for name, cls in scratch.layers.LAYERS.items()
              if cls.keras_module.startswith("keras")]  # others are parts of custom ones
    for name in (*layers, *scratch.losses.CLASSES, *scratch.metrics.CLASSES,
                 *scratch.optimizers.schedules.CLASSES, *scratch.initializers.CLASSES,
                 *scratch.regularizers.CLASSES):
        assert f"**{name}**" in committed, name
    for name in (*scratch.activations.ACTIVATIONS, *deviations.ALL):
        assert name in committed


def test_every_link_leads_somewhere(committed):
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in committed.splitlines()
                if line.startswith("#")}
    headings = {heading.replace(",", "").replace(".", "") for heading in headings}  # as GitHub
    headings |= {part.split('"')[0] for part in committed.split('<a id="')[1:]}
    links = {part.split(")")[0] for part in committed.split("](#")[1:]}
    assert links and links <= headings


def test_every_layer_of_keras_is_in_the_index_and_has_one_row(keras, current):
    from compare.evaluation.support_matrix import layer_index, layers

    index = current.split("## Find a layer")[1].split("## Coverage")[0]
    for family in layers.classes(keras).values():
        for cls in family:
            link = f"[{cls.__name__}](#{layer_index.anchor(cls.__name__)})"
            assert index.count(link) == 1
            assert (f"*{link}*" in index) != layers.is_supported(cls)
            assert current.count(f'<a id="{layer_index.anchor(cls.__name__)}"></a>') == 1


def test_a_nearest_way_is_known_of_what_is_refused_and_of_nothing_else(keras):
    from compare.evaluation.support_matrix import layers
    from compare.evaluation.support_matrix.nearest import NEAREST

    refused = {cls.__name__ for family in layers.classes(keras).values() for cls in family
               if not layers.is_supported(cls)}
    assert refused == set(NEAREST)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name, argument, taken, refused", [
    ("Bidirectional", "layer", ["GRU", "LSTM", "SimpleRNN"], []),
    ("Bidirectional", "backward_layer", [None, "GRU"], []),
    ("SpectralNormalization", "layer", ["Dense", "Conv2D"], []),
    ("TimeDistributed", "layer", ["Dense", "Conv2D", "BatchNormalization"], [])])
def test_layers_inside_others_are_tried(keras, name, argument, taken, refused):
    from compare.evaluation.support_matrix import layers

    cls = getattr(keras.layers, name)
    found = next(each for each in layers.outcomes(keras, cls) if each.argument == argument)
    for values, of in ((taken, trial.TAKEN), (refused, trial.REFUSED)):
        assert set(values) <= {value if value is None else repr(value)
                               for value in found.values(of)}


def test_rows_have_as_many_cells_as_their_headings(committed):
    tables = [block.splitlines() for block in committed.split("\n\n") if block.startswith("| ")]
    assert len(tables) > 15
    for lines in tables:
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1, lines[0]


def refuse(message, kind=ValueError):
    def raises():
        raise kind(message)
    return raises


@pytest.mark.parametrize("hand_over, expected", [
    (lambda: None, trial.TAKEN), (refuse("x", scratch.UnsupportedError), trial.REFUSED),
    (refuse("expected units to be"), trial.REFUSED), (refuse("no such thing"), trial.FAILED),
    (refuse("an unexpected keyword argument 'units'", TypeError), trial.REFUSED)])
def test_an_error_that_does_not_name_the_argument_is_no_refusal(hand_over, expected):
    assert trial.verdict(hand_over, "units") == expected


def test_a_layer_that_takes_less_than_keras_shows(keras, monkeypatch):
    """What the page says follows what scratch does, not a list."""
    from compare.evaluation.support_matrix import layers
    from compare.evaluation.support_matrix.outcome import failed

    def tried(argument, cls=keras.layers.UpSampling2D):
        return next(o for o in layers.outcomes(keras, cls) if o.argument == argument)

    assert tried("renorm", keras.layers.BatchNormalization).values(trial.TAKEN) == [False]
    assert tried("renorm", keras.layers.BatchNormalization).values(trial.REFUSED) == [True]
    assert tried("interpolation").values(trial.TAKEN) == ["nearest", "bilinear", "bicubic",
                                                          "lanczos3", "lanczos5"]

    class Fussy(scratch.UpSampling2D):
        def __init__(self, size=2, **settings):
            if size != (2, 2) and size != [2, 2]:
                raise ValueError("something went wrong")
            super().__init__(size, **settings)

    monkeypatch.setitem(scratch.layers.LAYERS, "UpSampling2D", Fussy)
    found = tried("size")
    assert 1 in found.values(trial.FAILED) and failed([found])


def test_what_all_classes_share_is_told_once():
    same = [Outcome(owner, "seed", None, ((None, trial.TAKEN), (7, trial.REFUSED)))
            for owner in "ABC"]
    table = rows([*same, Outcome("B", "rate", 0.5, ((0.5, trial.TAKEN),))], "each")
    assert table == [["each", "`seed`", "`None`", "`None`", "`7`", ""],
                     ["**B**", "`rate`", "`0.5`", "`0.5`", "", ""],
                     ["**A**, **C**", "no others", "", "", "", ""]]
