"""`parity grade`: points for a folder of submissions, with the mistake as feedback."""

from compare.cli import arguments, outputs
from compare.cli.errors import complain, interrupted
from compare.cli.helping import examples

PROG = "parity grade"
DESCRIPTION = """\
Grades a folder of submissions: files of Python, notebooks, or folders.

Each is run in a process of its own, with limits of time and memory, and held
against Keras with proved rounding bounds. Points are given by layer or gate;
the mistake and its remedy are the feedback. A submission that hangs, exits or
floods memory gets its line, and harms no other.

The exercise is a file of yours with points, reference() and candidate(...);
the guide GRADING.md has an example. Exits 0 once all are graded, 2 for bad
input.
"""
EPILOG = examples(
    ("every submission in a folder", "parity grade submissions --config grade.py"),
    ("two at a time, with a page, and files for other programs",
     "parity grade submissions --config grade.py --jobs 2 --out grades"),
    ("go on where an interrupted run stopped",
     "parity grade submissions --config grade.py --runs marks --resume"))


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("grade", help="grade a folder of submissions",
                                   description=DESCRIPTION, epilog=EPILOG)
    what = arguments.group(parser, "what is graded")
    what.add_argument("folder", metavar="DIR", help="the submissions")
    what.add_argument("--config", metavar="FILE.py", required=True,
                      help="the exercise: points, reference() and candidate(submission)")
    arguments.add_jobs(parser)
    arguments.add_output(parser)
    arguments.add_html(parser)
    output = arguments.group(parser, "output")
    output.add_argument("--junit", metavar="FILE",
                        help="also write JUnit, a test suite for each submission")
    output.add_argument("--out", metavar="DIR",
                        help="also write grades.csv, grades.json, grades.xml, and for each "
                             "submission NAME.results.json as Gradescope reads it")
    parser.set_defaults(run=run)


def run(args) -> int:
    from compare.experiments import execution, grading
    from compare.experiments.grading import files

    arguments.check_jobs(args)
    outputs.require_writable(args, folders=outputs.WITH_RUNS)
    try:
        with arguments.running_jobs(args):
            grades = grading.run(args.folder, args.config, args.runs, args.resume, args.jobs,
                                 args.backend, args.address)
    except KeyboardInterrupt:
        kept = f"; what was graded is in {args.runs}: go on with --resume" if args.runs else ""
        return interrupted(PROG, kept)
    except execution.JobsError as error:
        return complain(PROG, error)

    def page(grades):
        from compare.experiments.grading.page import grades_page

        return grades_page(grades, outputs.facts(args))

    outputs.publish(args, grades, grading.render, as_json=files.as_json, page=page,
                    junit=files.as_junit, folder=files.write_directory)
    return 0
