"""A function of (params, x) as the steps that JAX sees in it, each of which can be run alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from compare.runtimes import kinds
from compare.runtimes.graph import Node, Ran

OPENED = ("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "remat2")
LEAF, BATCH = "params", "x"


@dataclass(frozen=True)
class Constant:
    """A number, or an array, that stands in the function itself."""

    value: Any


@dataclass(frozen=True)
class Step:
    """One operation.

    Attributes:
        op, title: what it computes, and that with the names of the scopes around it.
        equation: JAX's own, which can be run again.
        reads: numbers of the values that it reads, or constants.
        makes: those of what it gives.
    """

    op: str
    title: str
    equation: Any
    reads: tuple[Any, ...]
    makes: tuple[int, ...]

    def run(self, values: list[Any]) -> list[Any]:
        """The same again of other values."""
        given = self.equation.primitive.get_bind_params(self.equation.params)
        # older versions of JAX give a list of functions beside the settings
        functions, settings = given if isinstance(given, tuple) else ((), given)
        made = self.equation.primitive.bind(*functions, *values, **settings)
        return list(made) if self.equation.primitive.multiple_results else [made]


class Program:
    """The steps of a function, for params of these shapes and a batch of that one.

    Args:
        function: takes (params, x), gives one array.
        params: any nesting of dictionaries, lists and arrays.
        shape, dtype: of the batch.

    Attributes:
        leaves: numbers of the values that hold the params' arrays, by their paths: "['conv']['w']".
        x, output: those of the batch and the result.

    Raises:
        Whatever the function raises.
        ValueError: if it does not give one array, or one that depends on no x.
    """

    def __init__(self, function: Callable[..., Any], params: Any, shape: tuple[int, ...],
                 dtype: Any):
        self.steps: list[Step] = []
        self.count = 0
        like = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(np.shape(leaf), leaf.dtype),
                            arrays_of(params))
        closed, result = jax.make_jaxpr(function, return_shape=True)(
            like, jax.ShapeDtypeStruct(shape, dtype))
        if len(jax.tree.leaves(result)) != 1:
            raise ValueError("expected a function that returns one array. Received: "
                             f"{len(jax.tree.leaves(result))}")
        paths = [jax.tree_util.keystr(path) for path, _ in
                 jax.tree_util.tree_flatten_with_path(like)[0]]
        given = [self._new() for _ in closed.jaxpr.invars]
        self.leaves = dict(zip(paths, given))
        self.x = given[-1]
        self.output = self._open(closed.jaxpr, closed.consts, given)[0]
        self.depends = self._dependent({self.x})
        if self.output not in self.depends:
            raise ValueError("expected a function whose result depends on x. Received one whose "
                             "does not")

    def _new(self) -> int:
        self.count += 1
        return self.count - 1

    def _open(self, jaxpr: Any, constants: Any, given: list[Any]) -> list[Any]:
        """Add the steps of a jaxpr whose inputs these are; returns its outputs."""
        held: dict[Any, Any] = dict(zip(jaxpr.invars, given))
        held.update(zip(jaxpr.constvars, map(Constant, constants)))

        def value(atom: Any) -> Any:
            return Constant(atom.val) if hasattr(atom, "val") else held[atom]

        for equation in jaxpr.eqns:
            reads = [value(atom) for atom in equation.invars]
            inner = equation.params.get("jaxpr") if equation.primitive.name in OPENED else None
            name = str(equation.params.get("name") or equation.primitive.name)
            if inner is not None and name not in kinds.ACTIVATIONS:
                made = self._open(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()),
                                  reads)
            else:
                made = [self._new() for _ in equation.outvars]
                scope = str(equation.source_info.name_stack)
                self.steps.append(Step(name, f"{scope}/{name}" if scope else name, equation,
                                       tuple(reads), tuple(made)))
            held.update(zip(equation.outvars, made))
        return [value(atom) for atom in jaxpr.outvars]

    def _dependent(self, values: set[int]) -> set[int]:
        found = set(values)
        for step in self.steps:
            if any(read in found for read in step.reads if not isinstance(read, Constant)):
                found.update(step.makes)
        return found

    def needed(self, target: int, stops: set[int]) -> tuple[list[Step], set[int]]:
        """(the steps to a value from those where it stops, in order, the other values that they
        begin with)."""
        due, wanted = [target], set()
        makers = {made: step for step in self.steps for made in step.makes}
        begins: set[int] = set()
        while due:
            value = due.pop()
            if value in stops or value in wanted:
                continue
            wanted.add(value)
            if value not in makers:
                begins.add(value)
                continue
            due += [read for read in makers[value].reads if not isinstance(read, Constant)]
        return [step for step in self.steps if not wanted.isdisjoint(step.makes)], begins

    @staticmethod
    def evaluate(steps: list[Step], values: dict[int, Any]) -> dict[int, Any]:
        """All values, those that the steps make among them."""
        values = dict(values)
        for step in steps:
            read = [each.value if isinstance(each, Constant) else values[each]
                    for each in step.reads]
            values.update(zip(step.makes, step.run(read)))
        return values

    def name_of(self, value: int) -> str:
        """What a value is called in a `Ran`."""
        if value == self.x:
            return BATCH
        step = next(step for step in self.steps if value in step.makes)
        return f"{step.title}:{value}"

    def ran(self, params: Any, x: Any, runtime: str) -> Ran:
        """What it computes of a batch, with every value that depends on it."""
        values = self.evaluate(self.steps, {**self.held(params), self.x: x})
        nodes, arrays = [], {BATCH: np.asarray(x)}
        for step in self.steps:
            makes = tuple(self.name_of(made) for made in step.makes)
            reads = tuple(self.name_of(read) if read in self.depends else f"{LEAF}:{read}"
                          for read in step.reads if not isinstance(read, Constant))
            nodes.append(Node(step.op, step.title, reads, makes))
            arrays.update({name: np.asarray(values[made]) for name, made in zip(makes, step.makes)
                           if made in self.depends and len(np.shape(values[made])) > 0
                           and np.asarray(values[made]).dtype.kind == "f"})
        return Ran(runtime, nodes, arrays, (BATCH,), self.name_of(self.output))

    def held(self, params: Any) -> dict[int, Any]:
        """The params' arrays by the numbers of their values."""
        return dict(zip(self.leaves.values(), jax.tree.leaves(arrays_of(params))))


def arrays_of(params: Any) -> Any:
    """Params whose leaves are all arrays."""
    return jax.tree.map(lambda leaf: leaf if hasattr(leaf, "dtype") else np.asarray(
        leaf, np.float32), params)


def as_taken(x: np.ndarray, channels_first: bool) -> np.ndarray:
    """A batch of Keras's as a function takes it."""
    return np.array(np.moveaxis(x, -1, 1) if channels_first else x, np.float32, order="C")
