"""`parity fuzz`: random networks over the whole vocabulary, checked in every way."""

from compare.cli import arguments, outputs
from compare.cli.errors import complain, interrupted
from compare.cli.helping import examples

PROG = "parity fuzz"
COUNT = 100
DESCRIPTION = """\
Checks random networks over all layers, arguments, losses and optimizers.

Builds each in NumPy and in Keras, and checks config, weights, forward, loss,
gradients, update, inference and saved files both ways. Prints what the networks
contained, and for every failure the smallest network that still fails. Network
n of a seed is the same whatever else is drawn.

Exits 0 if all pass, 1 if one fails, 2 for bad input, 130 after Ctrl-C, which
keeps what is finished.
"""
EPILOG = examples(
    ("a first look: ten networks", "parity fuzz --count 10"),
    ("a night's work on two processes, to be resumed after Ctrl-C",
     "parity fuzz --count 2000 --jobs 2 --runs fuzz-runs"),
    ("", "parity fuzz --count 2000 --jobs 2 --runs fuzz-runs --resume"),
    ("network 7 of seed 0 alone", "parity fuzz --only 7"))


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("fuzz", help="check random networks over all layers",
                                   description=DESCRIPTION, epilog=EPILOG)
    which = arguments.group(parser, "which networks")
    which.add_argument("--count", type=arguments.positive, default=COUNT, metavar="N",
                       help="how many networks (default: %(default)s)")
    which.add_argument("--seed", type=arguments.natural, default=0, metavar="S",
                       help="of all that is drawn (default: 0)")
    which.add_argument("--start", type=arguments.natural, default=0, metavar="K",
                       help="begin with network number K (default: 0)")
    which.add_argument("--only", type=arguments.natural, metavar="K",
                       help="network number K alone")
    arguments.add_jobs(parser)
    output = arguments.group(parser, "output")
    output.add_argument("--no-shrink", action="store_true",
                        help="show failures as they are, without looking for smaller ones")
    output.add_argument("--keep", metavar="DIR",
                        help="write a program for each failure into DIR, which shows it again")
    arguments.add_output(parser)


def run(args) -> int:
    from compare.document.plain_json import dumps
    from compare.evaluation import fuzzing
    from compare.evaluation.fuzzing import files, report
    from compare.experiments import execution

    arguments.check_jobs(args)
    outputs.require_writable(args, folders=outputs.WITH_RUNS)
    numbers = ([args.only] if args.only is not None
               else list(range(args.start, args.start + args.count)))
    store = arguments.job_store(args, {"kind": "fuzz", "seed": args.seed})
    try:
        with arguments.running_jobs(args):
            result = fuzzing.run(args.seed, numbers, store, args.jobs, args.backend, args.address,
                                 shrinking=not args.no_shrink)
    except execution.JobsError as error:
        return complain(PROG, error, "Run the same again, with --runs and --resume to go on")
    outputs.publish(args, result, report.render, folder=files.write_scripts,
                    as_json=lambda result: dumps(report.as_dict(result)))
    if result.interrupted:
        return interrupted(PROG, "; what was finished is in the report")
    if not result.numbers:
        return complain(PROG, "expected at least one network to be judged. Received none")
    return 1 if result.failures else 0
