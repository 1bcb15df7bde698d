"""`parity support`: which of Keras's layers, arguments and models can be checked."""

from compare.cli import arguments, outputs
from compare.cli.errors import advising, complain
from compare.cli.helping import examples

PROG = "parity support"
DESCRIPTION = """\
Says which of Keras's layers, arguments and models can be checked.

Without a name it lists all that is supported; of a class it shows which values
of its arguments are taken and which are refused; of a model it lists all layers
that are not supported, at once, and why.

Exits 0 if all that was asked about is supported, 2 if something is not: then
`parity check` could not judge it either.
"""
EPILOG = examples(
    ("all that is supported, by name", "parity support"),
    ("which arguments of two layers", "parity support Conv2D LayerNormalization"),
    ("every layer of a model that is not supported, and why",
     "parity support --model model.keras"))


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("support", help="which layers and models can be checked",
                                   description=DESCRIPTION, epilog=EPILOG)
    what = arguments.group(parser, "about what")
    what.add_argument("names", nargs="*", metavar="NAME",
                      help="a class of Keras, such as Conv2D or Adam")
    what.add_argument("--model", metavar="FILE.keras|module:callable",
                      help="a saved Keras model, or a function that returns a Keras model")
    arguments.add_custom_objects(what)
    arguments.add_output(parser)
    parser.set_defaults(run=run)


def run(args) -> int:
    from compare.document.plain_json import dumps
    from compare.evaluation.support_matrix import answer

    if args.names and args.model:
        raise ValueError("expected names of classes, or --model. Received both. Ask twice")
    if args.custom_objects and not args.model:
        raise ValueError("expected --custom-objects with a --model. Received it without one")
    outputs.require_writable(args)
    found: answer.OfModel | answer.OfClasses | answer.Overview
    if args.model:
        from compare.evaluation.support_matrix.of_model import of_config
        from compare.inputs import custom_code

        with advising("Give a file written by model.save(...), or module:callable"), \
                custom_code.given_by(args.custom_objects):
            config, compiled = described(args.model)
            found = answer.OfModel(args.model, of_config(config, compiled))
    elif args.names:
        import reference  # noqa: F401  (so that Keras starts without its chatter)
        from compare.evaluation.support_matrix.of_class import of_class

        found = answer.OfClasses({name: of_class(name) for name in args.names})
    else:
        found = answer.Overview()
    outputs.publish(args, found, answer.render, as_json=lambda found: dumps(found.as_dict()))
    if isinstance(found, answer.OfModel) and found.refused:
        count = len(found.refused)
        return complain(PROG, f"{count} part{'s' if count > 1 else ''} of {args.model} "
                        f"{'are' if count > 1 else 'is'} not supported",
                        "See the table, and --custom-objects or compare.wrap for layers of your "
                        "own")
    return 0


def described(spec: str) -> tuple[dict, dict]:
    """(a model's dictionary, how it is compiled) of a file, which Keras is not shown, or of what a
    function returns."""
    from compare.inputs import starting_tensorflow, twins
    from scratch import files

    if not twins.names_a_callable(spec):
        twins.require_file(spec)
        saved = files.read_model(spec).description()
        compiled = saved.get("compile_config")
        return saved, compiled if isinstance(compiled, dict) else {}
    with starting_tensorflow.quietly():
        model = twins.call(spec)
    import reference

    if not hasattr(model, "get_config") or not hasattr(model, "layers"):
        raise ValueError(f"Expected {spec} to return a Keras model. "
                         f"Received: {type(model).__name__}")
    compiled = reference.compile_config(model) if model.compiled else {}
    return {"class_name": type(model).__name__, "config": model.get_config()}, compiled
