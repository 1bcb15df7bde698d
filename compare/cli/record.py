"""`parity record`: keeps everything the reference computed on one batch, to be checked against."""

from compare.cli import arguments
from compare.cli.check import prepare, random_upstream

DESCRIPTION = """\
Runs the Keras model on one batch and writes inputs, weights, outputs and all gradients to a file.
`parity check --golden FILE` checks a NumPy network against it without TensorFlow.
"""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("record", help="record a golden trace of the reference",
                                   description=DESCRIPTION)
    arguments.add_pair(parser)
    parser.add_argument("--out", required=True, metavar="FILE.npz", help="the file to write")
    parser.set_defaults(run=run)


def run(args) -> int:
    import compare
    from compare import files

    files.require_writable_file(args.out, "--out")
    model, twin, x, y, about = prepare(args)
    if y is None:
        trace = compare.record(twin, x, upstream=random_upstream(model, x, args.seed))
    else:
        twin = compare.parity.both_compiled(model, twin)[1]
        trace = compare.record(twin, x, y)
    trace.save(args.out)
    print(f"{about.replace('Checking', 'Recorded', 1)}: {len(trace.tensors())} tensors of "
          f"{trace.producer}, {trace.dtype}, in {args.out}")
    return 0
