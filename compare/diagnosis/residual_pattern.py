"""What a difference that nothing explains looks like, in a phrase."""

import numpy as np

FEW = 0.25  # of the numbers; a pattern that touches more of them is everywhere


def looks_like(made: np.ndarray, right: np.ndarray, bound: np.ndarray) -> str:
    """Where the difference is, and how it goes with the right result."""
    if made.shape != right.shape:
        return f"another shape: {made.shape} in place of {right.shape}"
    made = np.asarray(made, np.float64)
    off = made - right
    over = ~(np.abs(off) <= bound)
    if not over.any():
        return "nothing at all on these numbers"
    if not np.isfinite(off).all():
        return f"{int((~np.isfinite(off)).sum())} of {off.size} numbers that are not finite"
    said = [size(off, right, over), where(over), *kinds(off, right, over)]
    return ", ".join(filter(None, said))


def size(off, right, over) -> str:
    largest = np.abs(right).max(initial=0)
    relative = np.abs(off).max() / largest if largest else np.inf
    share = f"{int(over.sum())} of {over.size} numbers"
    return f"{share} off, by up to {relative:.2g} of the largest"


def where(over: np.ndarray) -> str:
    """Which places alone are off; 'everywhere' where no such pattern is seen."""
    names = axis_names(over.ndim)
    found = []
    for axis, name in enumerate(names):
        others = tuple(i for i in range(over.ndim) if i != axis)
        touched = np.flatnonzero(over.any(axis=others))
        if len(touched) < over.shape[axis]:
            found.append(f"only in {name} {_listed(touched)}")
    edge = _at_border(over)
    if edge and not found:
        return "only at the border"
    return ", ".join(found) or ("everywhere" if over.mean() > FEW else "scattered")


def _at_border(over) -> bool:
    if over.ndim < 4:
        return False
    inner = over[(slice(None), *[slice(1, -1)] * (over.ndim - 2))]
    return inner.size > 0 and not inner.any()


def axis_names(rank: int) -> list[str]:
    """What the axes of an array of that rank are, as a rule."""
    return {1: ["unit"], 2: ["sample", "feature"], 3: ["sample", "step", "channel"],
            4: ["sample", "row", "column", "channel"],
            5: ["sample", "plane", "row", "column", "channel"],
            }.get(rank, [f"axis {i}" for i in range(rank)])


def _listed(numbers) -> str:
    return ", ".join(map(str, numbers[:5])) + (" ..." if len(numbers) > 5 else "")


def kinds(off, right, over) -> list[str]:
    """How the difference goes with the right result, and along the axes."""
    found = []
    some, values = off[over], right[over]
    if np.ptp(some) <= 1e-3 * np.abs(some).max():
        found.append(f"a constant offset of {some.mean():.4g}")
    elif len(some) > 2 and values.std() > 0:
        ratio = (some * values).sum() / max((values * values).sum(), 1e-300)
        if np.abs(some - ratio * values).max() < 1e-3 * np.abs(some).max():
            found.append(f"proportional to the right numbers ({ratio:+.3g} of them)")
    if over.mean() > FEW:
        found += growing(off)
    if not found and off.ndim > 1 and len(off) > 1 and off.std() > 0:
        if np.ptp(off, axis=0).max() < 1e-3 * np.abs(off).max():
            found.append("the same for every sample")
    return found


def growing(off) -> list[str]:
    """Axes along which the difference grows or shrinks steadily."""
    found = []
    for axis, name in enumerate(axis_names(off.ndim)):
        others = tuple(i for i in range(off.ndim) if i != axis)
        level = np.abs(off).mean(axis=others)
        steps = np.diff(level)
        if len(steps) > 2 and ((steps > 0).all() or (steps < 0).all()):
            found.append(f"{'growing' if steps[0] > 0 else 'shrinking'} along the {name}s")
    return found
