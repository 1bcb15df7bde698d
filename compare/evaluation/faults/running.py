"""The whole catalogue and many clean networks, in chunks that are independent jobs."""

import zlib
from dataclasses import dataclass, field

import numpy as np

from compare.evaluation.faults.baselines import verdicts
from compare.evaluation.faults.catalogue import by_identifier, variants
from compare.evaluation.faults.false_alarms import Clean, judged, judged_variant
from compare.evaluation.faults.scoring import Cases, Score, score
from compare.experiments import execution

FAULTS, NETWORKS = 48, 25  # per job: TensorFlow's start is paid once for them


@dataclass
class Result:
    """A run over faults and clean networks.

    Attributes:
        scores: of the faults, in the catalogue's order.
        clean: what was said of clean networks.
        seed: of these.
        interrupted: whether Ctrl-C ended it early.
        variants: what was said of right variants.
    """

    scores: list[Score] = field(default_factory=list)
    clean: list[Clean] = field(default_factory=list)
    seed: int = 0
    interrupted: bool = False
    variants: list[Clean] = field(default_factory=list)

    @property
    def undetected(self) -> list[Score]:
        return [score for score in self.scores if not score.detected]

    @property
    def false_alarms(self) -> list[Clean]:
        return [clean for clean in [*self.clean, *self.variants] if clean.alarm]

    def __bool__(self) -> bool:
        """Whether every fault was detected and nothing else."""
        return not self.undetected and not self.false_alarms


def run(identifiers: list[str], count: int, seed: int, store: execution.Store, parallel: int = 1,
        backend: str = "local", address: str | None = None, rivals: bool = True,
        verbose: bool = True, right: bool = False) -> Result:
    """Score these faults, and judge networks 0 to count - 1 of the seed.

    Args:
        right: judge the right variants, too.
        store, parallel, backend, address: see `compare.experiments.execution.run`.
        rivals: apply the other rules, too.

    Raises:
        compare.experiments.execution.JobsError: if a process died again and again.
    """
    todo = [execution.Job(f"faults-{chunk[0]}-and-{len(chunk) - 1}-more-{digest(chunk)}",
                          score_chunk, (chunk, rivals), require_scores)
            for chunk in execution.chunks(identifiers, FAULTS)]
    todo += [execution.Job(f"clean-{chunk[0]}-{chunk[-1]}", judge_chunk,
                           (seed, chunk, rivals), require_clean)
             for chunk in execution.chunks(range(count), NETWORKS)]
    if right:
        count_of_variants = len(list(variants()))
        todo += [execution.Job(f"variants-{chunk[0]}-{chunk[-1]}", judge_variants, chunk,
                               require_clean)
                 for chunk in execution.chunks(range(count_of_variants), FAULTS)]
    result = Result(seed=seed)
    try:
        execution.run(todo, store, parallel, backend, address,
                      f"Faults by {FAULTS}, clean networks by {NETWORKS}", verbose)
    except KeyboardInterrupt:
        result.interrupted = True
    for job in todo:
        entries = store.results.get(job.key, ())
        if job.function is score_chunk:
            result.scores += [Score(**entry) for entry in entries]
        elif job.function is judge_variants:
            result.variants += [Clean(**entry) for entry in entries]
        else:
            result.clean += [Clean(**entry) for entry in entries]
    return result


def require_scores(task, entries: list[dict]) -> None:
    """Hold stored scores against the faults that were asked for.

    Raises:
        ValueError, TypeError: for scores of other faults, or what is none.
    """
    received = [Score(**entry).identifier for entry in entries]
    if received != list(task[0]):
        raise ValueError(f"expected scores of {task[0]}. Received: {received}")


def require_clean(task, entries: list[dict]) -> None:
    """Hold stored verdicts against the networks or variants that were asked for.

    Raises:
        ValueError, TypeError: for verdicts on others, or what is none.
    """
    numbers = list(task[1] if isinstance(task, tuple) else task)
    received = [Clean(**entry).number for entry in entries]
    if received != numbers:
        raise ValueError(f"expected verdicts on {numbers}. Received: {received}")


def digest(identifiers: list[str]) -> str:
    """Tells one choice of faults from another, so that a resumed run never takes the wrong ones."""
    return f"{zlib.crc32(' '.join(identifiers).encode()):08x}"


def score_chunk(task) -> list[dict]:
    """The scores of some faults, as plain values."""
    identifiers, rivals = task
    every, cases, found = by_identifier(), Cases(), []
    without_fault: dict[str, dict] = {}  # what the other rules say of each clean network
    with np.errstate(all="ignore"):
        for identifier in identifiers:
            fault = every[identifier]
            made = score(fault, cases)
            if rivals:
                broken = cases[fault.network].broken(fault)
                made.rivals = verdicts(fault.network, broken, fault)
                key = str(fault.network.plain())
                if key not in without_fault:
                    without_fault[key] = verdicts(fault.network, cases[fault.network])
                made.by_chance = without_fault[key]
            found.append(made.plain())
    return found


def judge_chunk(task) -> list[dict]:
    """What is said of some clean networks, as plain values."""
    seed, numbers, rivals = task
    with np.errstate(all="ignore"):
        return [judged(seed, number, rivals).plain() for number in numbers]


def judge_variants(numbers) -> list[dict]:
    """What is said of some right variants, by their places in the catalogue, as plain values."""
    every, cases = list(variants()), Cases()
    with np.errstate(all="ignore"):
        return [judged_variant(every[number], number, cases).plain() for number in numbers]
