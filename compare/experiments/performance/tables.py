"""The tables of a measurement of speed: rounded texts in rows, not yet in any format."""

from compare.document.sections import Table
from compare.document.significance import decimals, significant, significant_decimals
from compare.document.tables import NONE
from compare.experiments.performance.cases import AXES
from compare.experiments.performance.check_cost import CHECK_AXES
from compare.experiments.performance.results import BLAS, NAMES, Row, Speed
from compare.experiments.performance.robust_statistics import Spread, slope, upper_half


def times(result: Speed, part: str) -> Table:
    """Microseconds per sample, of all turns; who is absent has no column."""
    rows = result.part(part)
    columns = taking_part(rows)
    headers = ["network", "batch", *(f"{NAMES[name]}\n(us)" for name in columns)]
    return Table(headers, [[row.case.network, str(row.case.batch),
                            *(spread(row.time(name), 1e6) for name in columns)] for row in rows])


def ratios(result: Speed, part: str) -> Table:
    """How many times as long as the base the others take, and the base beside BLAS alone."""
    rows, base = result.part(part), result.base
    columns = [name for name in taking_part(rows) if name not in (base, BLAS)]
    headers = ["network", "batch", *(f"{NAMES[name]} /\n{NAMES[base]}" for name in columns),
               f"{NAMES[base]} /\n{NAMES[BLAS]}"]
    return Table(headers, [[row.case.network, str(row.case.batch),
                            *(spread(row.ratio(name, base)) for name in columns),
                            spread(row.ratio(base, BLAS))] for row in rows])


def layers(result: Speed, part: str) -> Table:
    """Microseconds per sample of single layers, and how many times as long as the base others take.
    """
    rows, base = result.part(part), result.base
    columns = taking_part(rows)
    others = [name for name in columns if name != base]
    headers = ["layer", "batch", *(f"{NAMES[name]}\n(us)" for name in columns),
               *(f"{NAMES[name]} /\n{NAMES[base]}" for name in others)]
    return Table(headers, [[row.case.network, str(row.case.batch),
                            *(spread(row.time(name), 1e6) for name in columns),
                            *(spread(row.ratio(name, base)) for name in others)] for row in rows])


def scaling(result: Speed, axis: str) -> Table:
    """Milliseconds per step along one axis, and how much arithmetic a step is."""
    rows = result.part("scaling", axis)
    columns = taking_part(rows)
    headers = [AXES[axis], "multiply-adds\nper step\n(millions)",
               *(f"{NAMES[name]}\n(ms/step)" for name in columns)]
    return Table(headers, [[str(row.case.value),
                            significant(row.case.batch * row.multiply_adds / 1e6),
                            *(spread(row.time(name), 1e3 * row.case.batch) for name in columns)]
                           for row in rows])


def scaling_ratios(result: Speed, axis: str) -> Table | None:
    """How many times as long as the base the others take, along one axis; None without others."""
    rows, base = result.part("scaling", axis), result.base
    columns = [name for name in taking_part(rows) if name != base]
    if not columns:
        return None
    headers = [AXES[axis], *(f"{NAMES[name]} /\n{NAMES[base]}" for name in columns)]
    return Table(headers, [[str(row.case.value),
                            *(spread(row.ratio(name, base)) for name in columns)]
                           for row in rows])


def slopes(result: Speed) -> Table:
    """By what power of the axis, and of the arithmetic, the time of a step grows."""
    headers = ["axis", "competitor", "points", "arithmetic\nover axis", "time\nover axis",
               "time over\narithmetic"]
    lines = []
    for axis in AXES:
        rows = result.part("scaling", axis)
        for name in taking_part(rows):
            found = [NONE if power is None else f"{power:.2f}"
                     for power in powers(*step_curve(rows, name)).values()]
            lines += [[AXES[axis], NAMES[name], "all", *found[:3]],
                      [AXES[axis], NAMES[name], "upper half", *found[3:]]]
    return Table(headers, lines)


def powers(values: list, work: list, seconds: list) -> dict[str, float | None]:
    """The slopes of a curve as from `step_curve`: of all points, then of the upper half alone."""
    upper = upper_half(values)
    found = {}
    for end, chosen in (("", range(len(values))), ("_upper_half", upper)):
        v, w, s = ([numbers[i] for i in chosen] for numbers in (values, work, seconds))
        found[f"arithmetic_over_axis{end}"] = slope(v, w)
        found[f"time_over_axis{end}"] = slope(v, s)
        found[f"time_over_arithmetic{end}"] = slope(w, s)
    return found


def step_curve(rows: list[Row], name: str) -> tuple[list, list, list]:
    """(values on the axis, multiply-adds per step, median seconds per step), point by point."""
    return ([row.case.value for row in rows],
            [row.case.batch * row.multiply_adds for row in rows],
            [row.case.batch * row.time(name).median for row in rows])


def checks(result: Speed, axis: str) -> Table:
    """What a check takes along one axis, in all and for each tensor that it judges."""
    headers = [CHECK_AXES[axis], "tensors\njudged", "seconds", "processor\nseconds",
               "milliseconds\na tensor"]
    return Table(headers, [[str(getattr(cost.case, axis)), f"{cost.rows:,}",
                            significant(cost.seconds), significant(cost.work),
                            significant(1e3 * cost.seconds / cost.rows)]
                           for cost in result.check_curve(axis)])


def check_slope(result: Speed, axis: str) -> float | None:
    """By what power of the axis a check's processor time grows, in the upper half of the axis; None
    for fewer than two points there."""
    found = result.check_curve(axis)
    upper = upper_half([getattr(cost.case, axis) for cost in found])
    return slope([getattr(found[i].case, axis) for i in upper], [found[i].work for i in upper])


def memory(result: Speed) -> Table:
    """Megabytes at the peak, at several moments of a training process."""
    known = next(iter(result.memory.values()))
    headers = ["competitor", "libraries\nloaded (MB)", "images\nloaded (MB)",
               *(f"after {steps}\nsteps (MB)"
                 for steps in (known.early_steps, known.early_steps + known.steps))]
    lines = [[NAMES[name], *(NONE if size is None else f"{size / 1e6:,.0f}"
                             for size in (use.libraries, use.loaded, use.early, use.peak))]
             for name, use in result.memory.items()]
    return Table(headers, lines)


def taking_part(rows: list[Row]) -> list[str]:
    """Everybody who has turns in these rows, in the order of the first."""
    return list(dict.fromkeys(name for row in rows for name in row.turns))


def spread(value: Spread, scale: float = 1) -> str:
    """'187 ± 8': the median and half the distance of the quartiles, in as many digits as that
    leaves of it, three at most."""
    median, half = scale * value.median, scale * (value.high - value.low) / 2
    digits = significant_decimals(median)
    if half > 0:
        digits = min(digits, decimals(half))
    return f"{median:,.{digits}f} ± {half:,.{digits}f}"
