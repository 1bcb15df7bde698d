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
    arguments.add_output(parser)
    parser.set_defaults(run=run)


def run(args) -> int:
    from tabulate import tabulate

    import compare
    from compare import files
    from compare.plain_json import dumps

    for option, path in (("--out", args.out), ("--json", args.json)):
        if path:
            files.require_writable_file(path, option)
    model, twin, x, y, about = prepare(args)
    if y is None:
        trace = compare.record(twin, x, upstream=random_upstream(model, x, args.seed))
    else:
        twin = compare.parity.both_compiled(model, twin)[1]
        trace = compare.record(twin, x, y)
    trace.save(args.out)
    print(about.replace("Checking", "Recorded", 1))
    print(f"{trace.producer}, {trace.dtype}, in {args.out}")
    tensors = [(name, "x".join(map(str, array.shape)), float(abs(array).max()))
               for name, array in trace.tensors().items()]
    print(tabulate([(name, shape, f"{largest:.3e}") for name, shape, largest in tensors],
                   ("tensor", "shape", "largest"), tablefmt=args.format, disable_numparse=True,
                   colalign=("left", "left", "right")))
    if args.json:
        files.write_text(args.json, dumps({
            "schema": "keras-parity record 1", "about": about, "file": args.out,
            "producer": trace.producer, "dtype": trace.dtype, "loss": trace.loss,
            "tensors": [dict(zip(("name", "shape", "largest"), row)) for row in tensors]}))
    return 0
