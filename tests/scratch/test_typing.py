"""What a type checker sees of scratch, which reads the code without running it."""

import ast
from pathlib import Path

import scratch
from scratch import layers


def written_out() -> list[str]:
    """The literal strings of `scratch.layers.__all__`, as its source has them."""
    for statement in ast.parse(Path(layers.__file__).read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return ast.literal_eval(statement.value)
    raise AssertionError("no __all__ in scratch.layers")


def test_every_layer_and_its_other_name_is_written_out():
    others = [name for name, value in vars(layers).items() if isinstance(value, type)
              and issubclass(value, layers.Layer) and name != value.__name__]
    assert len(others) == 21
    assert sorted(written_out()) == sorted(["AffineLayer", "Input", "Layer", "LAYERS",
                                            "Recurrent", "Wrapper", *layers.LAYERS, *others])
    assert sorted(layers.ALIASES) == sorted(others)


def test_scratch_exports_every_layer():
    assert set(written_out()) <= set(scratch.__all__)
    assert all(getattr(scratch, name) is getattr(layers, name) for name in written_out())
