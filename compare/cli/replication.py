"""`parity bench --seeds K`: several pairs of runs, as independent jobs, and their statistics."""

from compare.cli import arguments, outputs
from compare.cli.errors import complain, interrupted

PROG = "parity bench"


def add_options(parser) -> None:
    """The options of a replication, in a group of their own."""
    group = parser.add_argument_group(
        "several runs", "With --seeds, K pairs of runs from shared initial weights: means with\n"
        "95 % intervals, a test of equivalence, McNemar's test, Cohen's kappa.")
    group.add_argument("--seeds", type=arguments.positive, metavar="K",
                       help="how many pairs of runs, from --seed upwards")
    group.add_argument("--margin", type=float, default=0.01, metavar="D",
                       help="differences of accuracy or F1 within +-D count as small "
                            "(default: 0.01)")
    arguments.add_jobs(group)


def run(args, chosen) -> int:
    """The replication that the options ask for.

    Args:
        chosen: the benchmark's settings, for every run.
    """
    from compare.experiments import execution, replication

    arguments.check_jobs(args)
    settings = replication.Settings(args.seeds, chosen, args.margin)
    outputs.require_writable(args, folders=outputs.WITH_RUNS)
    dataset = arguments.load(chosen)  # bad input shows at once
    try:
        with arguments.running_jobs(args):
            result = replication.run(settings, args.runs, args.resume, args.jobs, args.backend,
                                     args.address)
    except KeyboardInterrupt:
        kept = f"; what was finished is in {args.runs}: go on with --resume" if args.runs else ""
        return interrupted(PROG, kept)
    except execution.JobsError as error:
        return complain(PROG, error, "Run the same again with --resume to go on" if args.runs else
                        "Run it with --runs DIR, which keeps the runs that are finished")
    publish(args, result, dataset)
    return 0


def publish(args, result, dataset) -> None:
    """Write the files that were asked for, and print the report."""
    from compare.experiments.replication import files, json_record, report

    def page(result):
        from compare.experiments.replication.page import replication_page

        return replication_page(result, outputs.facts(args), dataset)

    outputs.publish(args, result, report.render, as_json=json_record.as_json, page=page,
                    folder=files.write_directory)
