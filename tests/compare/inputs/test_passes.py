"""Gradients are checked where both sides have them and nobody says no; else it is said why not."""

import numpy as np
import pytest

import compare
import scratch
from compare import adapters
from compare.inputs import passes


class Doubling:
    """Somebody's layer: a forward pass and no other."""

    def forward(self, x):
        return x * 2


def network():
    return scratch.Sequential([scratch.Input((3,)), scratch.ReLU(name="relu"),
                               scratch.Dense(2, name="dense")])


def candidate(has_backward):
    if has_backward:
        return network()
    return adapters.assemble([compare.wrap(Doubling(), backward=None), None], network())


def reference(kind):
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    if kind == "live":
        return network()
    options = {"upstream": np.ones((4, 2), "float32")} if kind == "in training" else \
        {"gradients": False}
    return compare.record(network(), x, **options)


@pytest.mark.parametrize("has_backward", [True, False])
@pytest.mark.parametrize("kind", ["live", "in training", "at inference"])
@pytest.mark.parametrize("asked", [True, False, None])
def test_gradients_need_both_sides_and_nobody_against(has_backward, kind, asked):
    model, twin = candidate(has_backward), reference(kind)
    possible = has_backward and kind != "at inference"
    if asked and not possible:
        said = "backward=None for: relu" if not has_backward else "recorded at inference"
        with pytest.raises(ValueError, match=said):
            passes.with_gradients(model, twin, asked)
        return
    assert passes.with_gradients(model, twin, asked) is (possible and asked is not False)


@pytest.mark.parametrize("has_backward, asked, why", [
    (True, False, ""), (False, False, ""), (True, None, ": the trace was recorded so"),
    (False, None, ": there is no backward pass (backward=None) in: relu")])
def test_what_is_left_out_is_said_and_why_if_nobody_asked_for_it(has_backward, asked, why):
    said = passes.about_forward_alone(candidate(has_backward), asked)
    assert said.startswith("Only the forward pass is checked")
    assert said.endswith(f"are not judged{why}.")


def test_a_check_against_a_trace_at_inference_has_no_rows_of_gradients():
    right, model = network(), network()
    model.set_weights(right.get_weights())
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    report = compare.check(model, compare.record(right, x, gradients=False))
    assert report and "the trace was recorded so" in report.notes[0]
    assert not [row for row in report.rows if "gradient" in row.tensor]
