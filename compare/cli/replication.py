"""`parity bench --seeds K`: several pairs of runs, as independent jobs, and their statistics."""

from compare.cli import arguments, outputs
from compare.cli.errors import complain, interrupted
from compare.document import progress

PROG = "parity bench"
DIRECTORY = "parity-runs"


def add_options(parser) -> None:
    """The options of a campaign, in a group of their own."""
    group = parser.add_argument_group(
        "several runs", "With --seeds, K pairs of runs from shared initial weights: means with\n"
        "95 % intervals, a test of equivalence, McNemar's test, Cohen's kappa.")
    group.add_argument("--seeds", type=arguments.positive, metavar="K",
                       help="how many pairs of runs, from --seed upwards")
    group.add_argument("--margin", type=float, default=0.01, metavar="D",
                       help="differences of accuracy or F1 within +-D count as small "
                            "(default: 0.01)")
    arguments.add_jobs(group, runs=DIRECTORY)


def run(args, chosen) -> int:
    """The campaign that the options ask for.

    Args:
        chosen: the benchmark's settings, for every run.
    """
    from compare.document import files
    from compare.experiments import execution, replication

    arguments.check_jobs(args)
    settings = replication.Settings(args.seeds, chosen, args.margin)
    if args.out:
        files.require_writable_directory(args.out, "--out")
    outputs.require_writable(args, ("json", "html"))
    files.require_writable_directory(args.runs, "--runs")
    dataset = arguments.load(chosen)  # bad input shows at once
    try:
        with arguments.running_jobs(args):
            result = replication.run(settings, args.runs, args.resume, args.jobs, args.backend,
                                  args.address)
    except KeyboardInterrupt:
        return interrupted(PROG, f"; what was finished is in {args.runs}: go on with --resume")
    except execution.JobsError as error:
        return complain(PROG, f"{error}; the other runs are in {args.runs}",
                        "Run the same again with --resume to go on")
    show(args, result, dataset)
    return 0


def show(args, result, dataset) -> None:
    """Write the files that were asked for, and print the report."""
    from compare.document import files
    from compare.experiments import replication
    from compare.experiments.replication import files as output

    with outputs.showing(replication.render, result, args.format) as written:
        if args.json:
            output.write_json(result, args.json)
            written.append(args.json)
        if args.html:
            with progress.during(f"Writing {args.html}"):
                from compare.experiments.replication.page import campaign_page

                files.write_text(args.html, campaign_page(result, outputs.facts(args), dataset))
            written.append(args.html)
        if args.out:
            with progress.during(f"Drawing the pictures in {args.out}"):
                written += output.write_directory(result, args.out)
