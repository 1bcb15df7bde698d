"""`parity faults`: how good the checks are, by faults put in on purpose and by clean networks."""

from compare.cli import arguments, colour, outputs
from compare.cli.errors import advising, complain, interrupted
from compare.cli.helping import examples

PROG = "parity faults"
COUNT = 100
DESCRIPTION = """\
Scores the checks themselves, by faults put in on purpose.

Puts each fault of a catalogue into a small network, checks it, and scores the
verdict: noticed, the right layer, the right tensor, the right cause. Then
checks right variants, the same mathematics in other forms, and clean random
networks, in which there is nothing to find, and holds other decision rules
against faults and clean networks. All of it takes many minutes.

Exits 0 if every fault is noticed and there is no false alarm, 1 if not, 2 for
bad input, 130 after Ctrl-C.
"""
EPILOG = examples(
    ("which faults there are", "parity faults --list"),
    ("those of one layer", "parity faults --only dropout"),
    ("all of them on two processes, with the tables in a folder",
     "parity faults --jobs 2 --out faults"))


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("faults", help="score the checks by faults put in on purpose",
                                   description=DESCRIPTION, epilog=EPILOG)
    which = arguments.group(parser, "which faults and networks")
    which.add_argument("--list", action="store_true", help="show the catalogue and run nothing")
    which.add_argument("--only", action="append", metavar="IDENTIFIER",
                       help="this fault, or all whose identifiers contain this, and no right "
                            "variants; may be repeated")
    which.add_argument("--count", type=arguments.natural, metavar="N",
                       help=f"clean networks (default: {COUNT}; with --only, none)")
    which.add_argument("--seed", type=arguments.natural, default=0, metavar="S",
                       help="of the clean networks (default: 0)")
    which.add_argument("--no-rivals", action="store_true", help="leave the other rules out")
    arguments.add_jobs(parser)
    arguments.group(parser, "output").add_argument(
        "--out", metavar="DIR",
        help="also write the tables as Markdown and the results as JSON into DIR")
    arguments.add_output(parser)


def run(args) -> int:
    from compare.evaluation.faults import catalogue
    from compare.experiments import execution as jobs

    arguments.check_jobs(args)
    with advising("See which there are: parity faults --list"):
        chosen = catalogue.chosen(args.only)
    if args.list:
        from compare.evaluation.faults import tables

        colour.show(tables.listing(chosen, args.format), args.format)
        return 0
    outputs.require_writable(args, folders=outputs.WITH_RUNS)
    return score(args, chosen, jobs)


def score(args, chosen, jobs) -> int:
    """Run what the options ask for, and show it."""
    from compare.evaluation.faults import files, running, tables

    count = args.count if args.count is not None else 0 if args.only else COUNT
    rivals = not args.no_rivals
    store = arguments.job_store(args, {"kind": "faults", "seed": args.seed, "rivals": rivals})
    try:
        with arguments.running_jobs(args):
            result = running.run([fault.identifier for fault in chosen], count, args.seed, store,
                                 args.jobs, args.backend, args.address, rivals,
                                 right=not args.only)
    except jobs.JobsError as error:
        return complain(PROG, error, "Run the same again, with --runs and --resume to go on")
    outputs.publish(args, result, tables.render, as_json=files.as_json,
                    folder=files.write_directory)
    if result.interrupted:
        return interrupted(PROG, "; what was finished is in the report")
    return 0 if result else 1
