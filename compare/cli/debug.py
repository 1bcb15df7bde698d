"""`parity debug`: which layer, which tensor, and the smallest input on which it goes wrong."""

from importlib import util

from compare.cli import arguments, colour, outputs
from compare.cli.check import about_batch, find_cause, prepare
from compare.cli.helping import examples
from compare.document import progress
from compare.document.sections import wrapped
from compare.document.text import line

DESCRIPTION = """\
Which layer is off, which tensor, and on which smallest input?

Checks two networks, or a single layer that compare.wrap gave, as `parity check`
does. If parity does not hold, it says in plain words where the first mistake
is, shrinks batch, pixels and channels to the smallest case that still fails,
with the expected and the actual numbers, and draws the tensor that is wrong.
Exits 0 if there is nothing to debug, 1 if there is, 2 for bad input.
"""
EPILOG = examples(
    ("the network that comes with parity: nothing to debug", "parity debug --dataset digits"),
    ("build() in mine.py, which returns your network", "parity debug mine:build"),
    ("keep the mistake as a test that fails, and as pictures",
     "parity debug mine:build --pytest test_it.py --out pictures"))


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("debug", help="find the layer and a minimal failing case",
                                   description=DESCRIPTION, epilog=EPILOG)
    arguments.add_pair(parser)
    arguments.add_inference(parser)
    output = arguments.group(parser, "output")
    output.add_argument("--pytest", metavar="FILE.py",
                        help="write the failing case as a test that reproduces it")
    output.add_argument("--out", metavar="DIR",
                        help="draw the tensor that fails, expected, actual and the difference, "
                             "into PNG files in DIR")
    arguments.add_output(parser)
    arguments.add_html(parser)
    arguments.add_ci(parser)
    parser.set_defaults(run=run)


def run(args) -> int:
    from compare import parity
    from compare.document import files
    from compare.inputs import batches, passes
    from compare.reduction import reproducer
    from compare.report.narrative import plain_words
    from compare.tracing.model_kinds import is_scratch

    arguments.take_network(args)
    outputs.require_writable(args)
    model, twin, x, y, about = prepare(args)
    gradients = passes.with_gradients(model, twin, False if args.inference else None)
    layered = is_scratch(model)  # of a network in one class no layer can be run by itself
    upstream = batches.upstream(model, x, args.seed) if y is None and gradients and layered else \
        None
    with about_batch(args):
        report = parity.check(model, twin, x, y, seed=args.seed,
                              gradients=False if args.inference else None)
    find_cause(report)
    for text in (wrapped(about), *(wrapped(line(note)) for note in report.notes),
                 wrapped(report.summary()), *plain_words(report.rows), *report.explanation()):
        colour.show(text)
    found = None
    if report.first_failure is not None:
        colour.show(report.failures(args.format), args.format)
    if report.first_failure is not None and layered:
        found = closer(args, report, *reference_of(model, twin, x, y, upstream, gradients,
                                                    args.seed))
    if args.pytest and found:
        files.write_text(args.pytest,
                         reproducer.as_test(found, args.model, cause_of(found, report)))
        colour.show(line(f"A test that reproduces it is in {args.pytest}: "
                         f"run `{advice(args.pytest)}`"))
    outputs.write(args, report, about, reproducer.explain(found) if found else "",
                  reproducer.pictured(found) if found else None)
    return outputs.exit_code(report)


def advice(file: str) -> str:
    """What runs the test here: pytest does not come with the plain install."""
    run = f"pytest {file}"
    return run if util.find_spec("pytest") else f"pip install pytest && {run}"


def cause_of(found, report) -> str:
    """What was found to be wrong with the layer of the smallest case; '' if that is not known."""
    layer = found.layer.split("/")[0]
    return next((finding.sentence for finding in report.diagnosis
                 if finding.layer.split("/")[0] == layer and finding.causes), "")


def reference_of(model, twin, x, y, upstream, gradients=True, seed=0):
    """(the candidate, compiled if there are labels; the reference's trace)."""
    import compare
    from compare import parity
    from compare.inputs import batches, compiling
    from compare.tracing.ops import whole_layers
    from compare.tracing.trace import folded

    if y is not None:
        model, twin, has_loss, _ = compiling.trained(model, twin)
        if not has_loss:
            y, upstream = None, batches.upstream(model, x, seed)
    whole = whole_layers(model)
    if not gradients:
        return model, folded(compare.record(twin, x, gradients=False, whole=whole), whole)
    trace = compare.record(twin, x, y, upstream=upstream, noise=parity.drawn(model, x), whole=whole)
    return model, folded(trace, whole)


def nothing_smaller(report) -> str:
    """Why there is no smallest case."""
    from compare.checks.outside import PERTURBED

    judged = dict.fromkeys(row.layer for row in report.rows
                           if not row.passed and row.kind == PERTURBED and row.gate.single_layer)
    if judged:
        return ("No smaller case: only Keras can tell what it should be, of a layer that scratch "
                f"does not have: {', '.join(judged)}.")
    return "No single layer of the candidate fails by itself: the mistake lies outside them."


def closer(args, report, model, trace):
    """The smallest failing case, None for none; prints it, and draws the tensor if asked to."""
    from compare.reduction import minimize, reproducer

    with progress.during("Looking for the smallest case that still fails"):
        found = next(filter(None, (minimize.minimize(model, trace, row)
                                   for row in report.rows if not row.passed)), None)
    colour.show(reproducer.explain(found) if found else nothing_smaller(report))
    if args.out:
        from compare.report.failing_tensor import first_seen
        from compare.report.figures import writing

        with progress.during("Drawing the tensor that fails"):
            tensor = first_seen(report.rows, model, trace)
            drawn = [] if tensor is None else writing.write(tensor, args.out)
        if tensor is None:
            print("There is nothing to be drawn: no tensor that fails could be computed.")
        for path in drawn:
            colour.show(line(f"Drawn: {path}"))
    return found
