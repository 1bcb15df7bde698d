"""What is remembered between steps: by the optimizer, and in the moving averages of layers."""

from collections.abc import Callable, Iterator

from compare.diagnosis.hypotheses.training_loop.plan import Plan, Weights
from compare.diagnosis.training_run import TrainingRun
from compare.oracle.expected import oracle_of


def of_optimizer_state() -> list[Plan]:
    """What is lost between steps."""
    return [Plan("optimizer-state", said + often, _forgetful(every, what))
            for every, often in ((1, " at every step"), (2, " at every second step"),
                                 (3, " at every third step"))
            for said, what in (("a new optimizer is made", ("slots", "count")),
                               ("what the optimizer remembers of gradients is cleared",
                                ("slots",)),
                               ("the count of steps starts again", ("count",)))]


def _forgetful(every: int, what: tuple[str, ...]) -> Callable[[TrainingRun], Iterator[Weights]]:
    def steps(run):
        optimizer = run.optimizer()
        for t, step in enumerate(run.steps):
            if t % every == 0:
                if "slots" in what:
                    optimizer.slots = []
                if "count" in what:
                    optimizer.iteration = 0
            yield run.moved(optimizer, step.before, run.made(t))

    return steps


def of_statistics() -> list[Plan]:
    """Moving averages that move twice in a step, or not at all."""
    def moving(said: str, again: bool) -> Plan:
        def steps(run):
            optimizer = run.optimizer()
            for t, step in enumerate(run.steps):
                made = run.made(t)
                after = run.moved(optimizer, step.before, made)
                for part in step.trace.parts:
                    for key in [(part.layer, name) for name in part.weights]:
                        if key in made:
                            momentum = _momentum(step.trace, part) if again else -1.0
                            after[key] = after[key] + momentum * (after[key] - step.before[key])
                yield after

        return Plan("moving-statistics", said, steps)

    return [moving("two forward passes in each step move the averages twice", True),
            moving("the averages do not move", False)]


def _momentum(trace, part) -> float:
    """After two moves by 1 - m of the rest each, m of the first is added by the second."""
    return float(oracle_of(trace, part).config["momentum"])
