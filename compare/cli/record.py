"""`parity record`: keeps everything the reference computed on one batch, to be checked against."""

from compare.cli import arguments, colour, outputs
from compare.cli.check import about_batch, prepare
from compare.cli.helping import examples
from compare.document import progress
from compare.document.sections import wrapped
from compare.document.text import lines

DESCRIPTION = """\
Records a golden trace of the Keras model: everything it computes on one batch.

Inputs, weights, outputs and all gradients go to one file, against which
`parity check --golden FILE` then checks a NumPy network without TensorFlow.
With --inference it holds the forward pass alone, for networks that have no
other.
"""
EPILOG = examples(
    ("record the network that comes with parity, and check against it",
     "parity record --out golden.npz"),
    ("", "parity check --golden golden.npz"),
    ("a model of your own on a batch of your own",
     "parity record --model model.keras --input batch.npz --out golden.npz"))


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("record", help="record a golden trace of the reference",
                                   description=DESCRIPTION, epilog=EPILOG)
    arguments.add_pair(parser)
    arguments.add_inference(parser)
    arguments.group(parser, "output").add_argument("--out", required=True, metavar="FILE.npz",
                                                   help="the file to write (required)")
    arguments.add_output(parser)
    parser.set_defaults(run=run)


def run(args) -> int:
    import compare
    from compare.document import files, tables
    from compare.document.plain_json import dumps
    from compare.inputs import batches, compiling, twins
    from compare.tracing.known_settings import NOT_CHECKED

    arguments.take_network(args)
    outputs.require_writable(args, ("out", "json"), ())
    model, twin, x, y, about = prepare(args)
    model = twins.drawn_for(model, twin)
    with about_batch(args):
        has_loss = y is not None and not args.inference
        if has_loss:
            model, twin, has_loss, left_out = compiling.trained(model, twin)
        if args.inference:
            trace = compare.record(twin, x, gradients=False)
        elif has_loss:
            trace = compare.record(twin, x, y)
            if left_out:
                trace.compile_config[NOT_CHECKED] = left_out
        else:
            trace = compare.record(twin, x, upstream=batches.upstream(model, x, args.seed))
    with progress.during(f"Writing {args.out}"):
        trace.save(args.out)
    tensors = [(name, "x".join(map(str, array.shape)), float(abs(array).max()))
               for name, array in trace.tensors().items()]
    table = tables.render(["tensor", "shape", "largest"],
                          [[name, shape, f"{largest:.3e}"] for name, shape, largest in tensors],
                          args.format, [False, False, True])
    done = wrapped(about.replace("Checking", "Recorded", 1))
    colour.show(lines([done, f"{trace.producer}, {trace.dtype}, in {args.out}", table]),
                args.format)
    if args.json:
        files.write_text(args.json, dumps({
            "schema": "keras-parity record 1", "about": about, "file": args.out,
            "producer": trace.producer, "dtype": trace.dtype, "loss": trace.loss,
            "tensors": [dict(zip(("name", "shape", "largest"), row)) for row in tensors]}))
    return 0
