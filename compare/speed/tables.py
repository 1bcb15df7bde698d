"""The tables of a measurement of speed: rounded texts in rows, not yet in any format."""

from compare.benchmark.tables import NONE
from compare.prose import Table
from compare.speed.cases import AXES
from compare.speed.results import BLAS, NAMES, Row, Speed
from compare.speed.spread import Spread, slope, upper_half


def times(result: Speed, part: str) -> Table:
    """Microseconds per sample, median and quartiles of all turns; who is absent has no column."""
    rows = result.part(part)
    columns = taking_part(rows)
    headers = ["network", "batch", *(f"{NAMES[name]}\nus/sample" for name in columns)]
    return Table(headers, [[row.case.network, str(row.case.batch),
                            *(spread(row.time(name), 1e6) for name in columns)] for row in rows])


def ratios(result: Speed, part: str) -> Table:
    """How many times as long as the base the others take, and the base beside BLAS alone."""
    rows, base = result.part(part), result.base
    columns = [name for name in taking_part(rows) if name not in (base, BLAS)]
    headers = ["network", "batch", *(f"{NAMES[name]} /\n{NAMES[base]}" for name in columns),
               f"{NAMES[base]} /\n{NAMES[BLAS]}", "multiply-adds\nper sample"]
    return Table(headers, [[row.case.network, str(row.case.batch),
                            *(spread(row.ratio(name, base)) for name in columns),
                            spread(row.ratio(base, BLAS)), f"{row.multiply_adds:,}"]
                           for row in rows])


def scaling(result: Speed, axis: str) -> Table:
    """Milliseconds per step along one axis, and how much arithmetic a step is."""
    rows, base = result.part("scaling", axis), result.base
    columns = taking_part(rows)
    headers = [AXES[axis], "multiply-adds\nper step", *(f"{NAMES[name]}\nms/step"
                                                        for name in columns),
               *(f"{NAMES[name]} /\n{NAMES[base]}" for name in columns if name != base)]
    lines = []
    for row in rows:
        line = [str(row.case.value), f"{row.case.batch * row.multiply_adds / 1e6:,.1f} M"]
        line += [spread(row.time(name), 1e3 * row.case.batch) for name in columns]
        line += [spread(row.ratio(name, base)) for name in columns if name != base]
        lines.append(line)
    return Table(headers, lines)


def slopes(result: Speed) -> Table:
    """By what power of the axis, and of the arithmetic, the time of a step grows."""
    over = ("arithmetic\n~ axis ^", "time\n~ axis ^", "time\n~ arithmetic ^")
    headers = ["axis", "competitor", *over, *(f"upper half:\n{' '.join(text.split())}"
                                              for text in over)]
    lines = []
    for axis in AXES:
        rows = result.part("scaling", axis)
        for name in taking_part(rows):
            found = powers(*step_curve(rows, name)).values()
            lines.append([AXES[axis], NAMES[name],
                          *(NONE if power is None else f"{power:.2f}" for power in found)])
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


def memory(result: Speed) -> Table:
    """Megabytes at the peak, at several moments of a training process."""
    known = next(iter(result.memory.values()))
    headers = ["peak memory, MB", "libraries\nloaded", "images\nloaded",
               *(f"after {steps}\nsteps"
                 for steps in (known.early_steps, known.early_steps + known.steps))]
    lines = [[NAMES[name], *(NONE if size is None else f"{size / 1e6:,.0f}"
                             for size in (use.libraries, use.loaded, use.early, use.peak))]
             for name, use in result.memory.items()]
    return Table(headers, lines)


def taking_part(rows: list[Row]) -> list[str]:
    """Everybody who has turns in these rows, in the order of the first."""
    return list(dict.fromkeys(name for row in rows for name in row.turns))


def spread(value: Spread, scale: float = 1) -> str:
    """'187 [180-195]': the median and the quartiles."""
    low, high = significant(value.low * scale), significant(value.high * scale)
    return f"{significant(value.median * scale)} [{low}-{high}]"


def significant(value: float) -> str:
    """Three significant digits, or all before the point; never in powers of ten."""
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2 if value >= 0.9995 else 3
    return f"{value:,.{digits}f}"
