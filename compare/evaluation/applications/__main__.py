"""Measures the networks that are named, or all of them, and adds them to `measured.json`."""

import argparse
import sys
import threading
from dataclasses import replace

from compare.document import progress
from compare.document.tables import render
from compare.evaluation.applications import records
from compare.evaluation.applications.constructors import names
from compare.evaluation.applications.measuring import Measurement, measure
from compare.experiments.execution.worker_process import Worker, WorkerError


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0, 1 if parity fails for one, 2 for a name that is none."""
    parser = argparse.ArgumentParser("python -m compare.evaluation.applications",
                                     description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="constructors (default: all)")
    parser.add_argument("--no-check", action="store_true",
                        help="only load and predict, which takes seconds")
    parser.add_argument("--limit", type=float, default=3600.0, metavar="SECONDS",
                        help="end the process of a network that takes longer (default: 3600)")
    parser.add_argument("--table", action="store_true", help="measure nothing, print what there is")
    args = parser.parse_args(arguments)
    known = names()
    wrong = [name for name in args.names if name not in known]
    if wrong:
        print(f"Expected networks of keras.applications: {', '.join(known)}. "
              f"Received: {', '.join(wrong)}", file=sys.stderr)
        return 2
    found = records.kept()
    with progress.watched():
        for name in progress.each([] if args.table else args.names or by_size(known, found),
                                  "Networks"):
            made = measured(name, not args.no_check, found.get(name), args.limit)
            if made is not None:
                found[name] = made
                records.keep(found)
    rows = [records.row(found[name]) for name in sorted(found)]
    print(render(records.HEADERS, rows, "github"))
    print(f"\n{records.summary(found, len(known))}")
    return 1 if any(one.holds is False for one in found.values()) else 0


def by_size(names: list[str], found: dict[str, Measurement]) -> list[str]:
    """The small networks first, so that most are measured if not all can be."""
    return sorted(names, key=lambda name: found[name].parameters if name in found else 0)


def measured(name: str, check: bool, before: Measurement | None,
             limit: float) -> Measurement | None:
    """One network in a process of its own; what a check found before stays if there is no new one.

    A process that vanishes, as one does for which there is not enough memory, or that is ended as
    it takes longer than `limit` seconds, leaves what it had found.
    """
    found = None
    with Worker(name, measure, (name, check)) as worker:
        clock = threading.Timer(limit, worker.process.kill)
        clock.start()
        try:
            while (item := worker.ask()) is not None:
                found = item
        except (WorkerError, ValueError) as error:  # a network that Keras cannot train here, too
            said = str(error) if clock.is_alive() else f"not done after {limit:g} s"
            print(f"{name}: {said}", file=sys.stderr)
            found = found and replace(found, said=f"not checked: {said}")
        finally:
            clock.cancel()
    if found is not None and not check and before is not None and before.check is not None:
        return replace(before, load=found.load, keras_load=found.keras_load, apart=found.apart)
    return found


sys.exit(main())
