"""`parity check`: is the NumPy network the same function as its Keras twin, gradients included?"""

import contextlib
import sys

from compare.cli import arguments, colour, outputs
from compare.cli.errors import advising
from compare.cli.helping import examples
from compare.document import progress
from compare.document.sections import wrapped
from compare.document.text import line, lines

STARTING = "Starting TensorFlow ..."
DESCRIPTION = """\
Is the NumPy network the same function as its Keras twin, gradients included?

Runs both on one batch and checks every layer's output, every gradient, the loss
and one optimizer step against proved rounding bounds, probes each layer with
whole numbers, where nothing may differ at all, and trains both side by side for
a few steps. Exits 0 if parity holds, 1 if it does not, 2 for bad input
or where NaN on both sides left nothing to judge. With --layers or --sample
the verdict, and the exit code, are of those layers alone.
"""
EPILOG = examples(
    ("the network that comes with parity, on Fashion-MNIST", "parity check"),
    ("without any data files, as a page to read",
     "parity check --dataset digits --html check.html"),
    ("a model of your own, and every figure of every row",
     "parity check --model model.keras --wide"),
    ("a port for inference, which has no backward pass",
     "parity check --inference --model mine:build"),
    ("what another runtime wrote for each layer, on the batch in batch.npz",
     "parity check --model model.keras --input batch.npz --outputs onnx.npz"),
    ("an ONNX or a TFLite file, run and looked into",
     "parity check --model model.keras --outputs model.onnx"),
    ("a large network, if you cannot wait: 20 of its layers, or those of one block",
     "parity check --model model.keras --sample 20"),
    ("", "parity check --model model.keras --layers 'block_1_*'"),
    ("record Keras once; from then on check without TensorFlow",
     "parity record --out golden.npz"),
    ("", "parity check --golden golden.npz"))
PATH_ADVICE = ("Give --model FILE.keras, written by model.save(...), or --model module:callable, a "
               "function that returns a model")
LAYER_ADVICE = ("See what is supported with: parity support; what stands for a layer or a function "
                "of your own is given with --custom-objects FILE.py")
RETURN_ADVICE = ("Have it return a Keras or a scratch model, a layer from compare.wrap, or the "
                 "pair to compare")
PAIR_ADVICE = "Give two networks that take the same inputs and give the same outputs"
OUTPUTS_ADVICE = ("Save them with np.savez(FILE, conv2d=array, ...), or say which belongs to which "
                  "layer: --map NAME=LAYER ...")
FILE_ADVICE = ("Say which tensor belongs to which layer where that is the trouble: --map "
               "TENSOR=LAYER ...")
BATCH_ADVICE = ("Save a batch that fits the model with np.savez(FILE, x=images, y=labels), of "
                "several inputs and outputs x_1=, x_2=, y_1= and so on, or leave --input out to "
                "have one drawn")


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("check", help="check two networks tensor by tensor",
                                   description=DESCRIPTION, epilog=EPILOG)
    arguments.add_pair(parser)
    arguments.add_inference(parser)
    what = arguments.group(parser, "what is checked")
    what.add_argument("--golden", metavar="FILE.npz",
                      help="check against a trace written by `parity record`, without TensorFlow")
    what.add_argument("--outputs", metavar="FILE",
                      help="a .npz with arrays, one for each layer that another runtime has run "
                           "on --input (or on --golden's batch) at inference: under the layers' "
                           "names, or in their order and shapes; some may be missing. Or a .onnx "
                           "or a .tflite, which is run on the batch")
    what.add_argument("--map", nargs="+", metavar="NAME=LAYER",
                      help="which array or tensor of --outputs belongs to which layer, where names "
                           "differ")
    what.add_argument("--precision", choices=("float16", "float32", "float64"),
                      help="in which --outputs were computed (default: the model's own)")
    what.add_argument("--layers", nargs="+", metavar="NAME",
                      help="check these layers alone, by name or by pattern as 'block_1_*'; the "
                           "verdict is of them, not of the network as a whole or its training")
    what.add_argument("--sample", type=arguments.positive, metavar="N",
                      help="check N layers alone, drawn with --seed")
    arguments.group(parser, "on which numbers").add_argument(
        "--steps", type=arguments.natural, default=None, metavar="N",
        help="training steps in lockstep (default: 5)")
    arguments.add_output(parser)
    arguments.group(parser, "output").add_argument("--wide", action="store_true",
                                                   help="every figure of every row")
    arguments.add_html(parser)
    arguments.add_ci(parser)
    parser.set_defaults(run=run)


def run(args) -> int:
    arguments.take_network(args)
    outputs.require_writable(args)
    report, about = checked(args)
    find_cause(report)
    colour.show(lines([wrapped(about), report.render(args.format, args.wide)]), args.format)
    outputs.write(args, report, about)
    return outputs.exit_code(report)


def checked(args):
    """(report, a text on what was checked) as the options say."""
    if args.layers and args.sample:
        raise ValueError("Expected --layers or --sample. Received: both")
    if args.steps is not None and (args.layers or args.sample):
        raise ValueError("Expected no --steps with --layers or --sample, as some layers alone are "
                         f"not trained. Received: --steps {args.steps}")
    if args.outputs:
        return arrays_alone(args)
    for option in ("map", "precision"):
        if getattr(args, option) is not None:
            raise ValueError(f"Expected --{option} with --outputs alone, whose arrays it is about. "
                             "Received no --outputs")
    return against_golden(args) if args.golden else against_keras(args)


def find_cause(report) -> None:
    """Have it found out before it is shown, since that may take a while."""
    if not report:
        with progress.during("Looking for the cause"):
            _ = report.cause


def against_keras(args):
    """(report, a text on what was checked) with a live Keras model as the reference."""
    from compare import parity

    if args.inference and args.steps is not None:
        raise ValueError("Expected no --steps with --inference, as nothing is trained. "
                         f"Received: --steps {args.steps}")
    model, twin, x, y, about = prepare(args)
    steps = parity.LOCKSTEP if args.steps is None else args.steps
    with about_batch(args), about_layers():
        return parity.check(model, twin, x, y, steps=steps, seed=args.seed,
                            gradients=False if args.inference else None, layers=args.layers,
                            sample=args.sample), about


def arrays_alone(args):
    """(report, a text on what was checked) on arrays that another runtime wrote, or a file that it
    runs."""
    import compare
    from compare.inputs import named_outputs
    from compare.runtimes import NetworkFile, is_file
    from compare.tracing.trace import Trace

    for option in ("steps", "layers", "sample"):
        if getattr(args, option) is not None:
            raise ValueError(f"Expected no --{option} with --outputs, whose arrays are all judged, "
                             f"and nothing trained. Received: --{option}")
    runs = is_file(args.outputs)
    if not args.golden and not (args.model and (args.input or runs)):
        raise ValueError("Expected --model, and --input with the batch that the arrays in "
                         "--outputs came from; or --golden with both. Received: "
                         + ("no --input" if args.model else "no --model"))
    given = NetworkFile(args.outputs, named_outputs.by_layer(args.map or ())) if runs else \
        named_outputs.renamed(named_outputs.from_file(args.outputs), args.map or ())
    if args.golden:
        refuse_beside_golden(args, ("model",))
        with advising("Record it again: parity record --inference --out FILE.npz"):
            network, x = Trace.load(args.golden), None
        on = f"the trace in {args.golden}"
    else:
        args.inference = True  # arrays alone have no gradients
        _, network, x, _, on = prepare(args)
        on = on.removeprefix("Checking ")
    with advising(FILE_ADVICE if runs else OUTPUTS_ADVICE):
        return compare.check_outputs(network, x, given, precision=args.precision), line(
            f"Checking {args.outputs if runs else f'the arrays in {args.outputs}'} against {on}")


def about_batch(args):
    """Around what is run on the batch: whose fault an error is depends on who made the batch."""
    return advising(BATCH_ADVICE if args.input else PAIR_ADVICE)


def about_layers():
    """Around what is checked of a network: the layers that are asked for may not be there."""
    from compare.checks.chosen_layers import UnknownLayerError

    return advising("Give names as the report has them, or patterns such as 'conv2d*'",
                    UnknownLayerError)


@contextlib.contextmanager
def about_model(args):
    """Around the making of the models: what is wrong with one ends with what to do."""
    from scratch.errors import UnsupportedError

    module, _, name = (args.model or "").partition(":")
    advice = RETURN_ADVICE if module and name else PATH_ADVICE
    with advising(advice), advising(LAYER_ADVICE, UnsupportedError):
        yield


def against_golden(args):
    """(report, a text on what was checked) with a recorded trace as the reference."""
    from compare import parity
    from compare.inputs import starting_tensorflow, twins
    from compare.tracing.trace import Trace

    refuse_beside_golden(args)
    with advising("Record it again: parity record --out FILE.npz"):
        trace = Trace.load(args.golden)
    advice = ("Give --model FILE.keras, or module:callable that returns a scratch model, or leave "
              "it out")
    with starting_tensorflow.quietly(tell_start), advising(advice):
        model = twins.golden_candidate(trace, args.model)
    name = args.model or "the network"
    advice = "Record a trace of this very model, or give the one that was recorded"
    with advising(advice), about_layers():
        return parity.check(model, trace, gradients=False if args.inference else None,
                            layers=args.layers, sample=args.sample), line(
            f"Checking {name} against the trace in {args.golden}")


def refuse_beside_golden(args, more=()) -> None:
    """Options, those in `more` among them, that would be ignored beside a trace.

    Raises:
        ValueError: naming those that were given.
    """
    if args.custom_objects:
        raise ValueError("Expected no --custom-objects with --golden: what a layer of your own "
                         "should compute only the live Keras model tells, and a trace has none. "
                         f"Received: --custom-objects {args.custom_objects}. Check it beside the "
                         "model, with --model")
    needless = [option for option in ("input", "dtype", "batch", "size", "steps", "seed",
                                      "dataset", "data_dir", "no_compile", *more)
                if getattr(args, option) not in (None, False)]
    if needless:
        named = ", ".join(f"--{option.replace('_', '-')}" for option in needless)
        raise ValueError("Expected no other source of numbers with --golden, whose trace brings "
                         f"its own batch, weights and precision. Received: {named}. Leave "
                         f"{'it' if len(needless) == 1 else 'them'} out")


def prepare(args):
    """(candidate, reference, x, y, a text on what is checked on what) from the options.

    Without y if only the forward pass is to be checked.
    """
    from compare.inputs import passes

    model, twin, x, y, about = described(args)
    if passes.with_gradients(model, twin, False if args.inference else None):
        return model, twin, x, y, about
    if args.input and y is not None:
        about = lines([about, line(f"The labels y in {args.input} are not used")])
    return model, twin, x, None, about


def described(args):
    """The same, with y where there is one."""
    from compare.inputs import batches, custom_code, starting_tensorflow, twins

    fill_in(args)
    if args.size and (args.model is None or args.input):
        raise ValueError("Expected --size with a --model whose inputs leave sizes open, on random "
                         f"samples. Received: --size {' '.join(map(str, args.size))} "
                         + ("with --input" if args.input else "without --model"))
    if args.no_compile and args.model is None:
        raise ValueError("Expected --no-compile with a --model. Received it without one")
    if args.custom_objects and args.model is None:
        raise ValueError("Expected --custom-objects with a --model. Received it without one")
    if args.model is None and not args.input:
        return benchmark(args)
    with about_batch(args):
        given = batches.from_file(args.input) if args.input else None
    with starting_tensorflow.quietly(tell_start), about_model(args):
        with custom_code.given_by(args.custom_objects):
            model, twin = twins.pair(args.model, args.dtype, args.seed, not args.no_compile)
        name = args.model or "the benchmark network"
        if given is not None:
            x, y = given
            return model, twin, x, None if args.no_compile else y, line(
                f"Checking {name} on {len(x)} samples of {args.input}")
    with advising("The sizes are those of a sample, without the batch"):
        x, y = batches.random(twins.drawn_for(model, twin), args.batch, args.seed, args.size)
    return model, twin, x, None if args.no_compile else y, line(
        f"Checking {name} on {args.batch} random samples, seed {args.seed}")


def benchmark(args):
    """As `prepare`: the benchmark network, made for the images of the data set."""
    from compare.inputs import (
        batches,
        benchmark_networks,
        datasets,
        starting_tensorflow,
        twins,
    )

    with arguments.loading_data():
        loaded = datasets.load(args.dataset, args.data_dir)
    model = benchmark_networks.build(loaded.input_shape, loaded.classes, seed=args.seed,
                                     dtype=args.dtype or "float32")
    with advising("Give a smaller --batch"):
        x, y = batches.images(loaded, args.batch, args.seed, model.dtype)
    with starting_tensorflow.quietly(tell_start):
        model, twin = twins.twins(model)
    about = [f"Checking the benchmark network on {args.batch} images of {loaded.title}"]
    if loaded.fallback_reason:
        about.append(loaded.fallback_reason)
    return model, twin, x, y, lines(about)


def tell_start() -> None:
    """Say what takes some seconds, at the moment when it begins."""
    print(STARTING, file=sys.stderr, flush=True)


def fill_in(args) -> None:
    """The defaults of options that were left out; they are None before, to tell them apart."""
    for option, default in (("batch", 8), ("seed", 0), ("dataset", "fashion-mnist")):
        if getattr(args, option) is None:
            setattr(args, option, default)
