"""The table that `model.summary()` prints, and that notebooks show."""

from html import escape


def summary_table(model) -> str:
    """One line per layer: name and type, output shape, number of weights; then the totals.

    Where the model is no mere stack, also what each layer is connected to, as in Keras's table.
    """
    lines = _aligned(_rows(model))
    rule = "-" * max(map(len, lines))
    return "\n".join([_title(model), rule, lines[0], rule, *lines[1:], rule, *_totals(model)])


def summary_html(model) -> str:
    """The same as a table of HTML, without any style but the alignment of numbers."""
    headers, *rows = [[escape(cell) for cell in row] for row in _rows(model)]
    head = "".join(f'<th scope="col">{cell}</th>' for cell in headers)
    body = "".join("<tr>" + "".join(
        f'<td style="text-align:{"right" if i == 2 else "left"}">{cell}</td>'
        for i, cell in enumerate(row)) + "</tr>" for row in rows)
    totals = "<br>".join(map(escape, _totals(model)))
    return (f"<table><caption>{escape(_title(model))}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table><p>{totals}</p>")


def _title(model) -> str:
    return f'Model: "{model.name}" ({model.policy.name})'


def _rows(model) -> list[list[str]]:
    """Headings, and the layers."""
    rows = [["Layer (type)", "Output shape", "Params"]]
    for layer, shape in zip(model.layers, model.layer_shapes(model.input_shape)):
        rows.append([f"{layer.name} ({type(layer).__name__})", str(shape),
                     f"{layer.count_params():,}"])
    if model.sources != [(i - 1,) for i in range(len(model.layers))]:
        # -1 - k: input k
        names = [*(layer.name for layer in model.layers), *reversed(model.input_names)]
        rows[0].append("Connected to")
        for row, sources in zip(rows[1:], model.sources):
            row.append(", ".join(names[i] for i in sources))
    return rows


def _totals(model) -> list[str]:
    """How many weights there are, and how many of them are trained."""
    total = model.count_params()
    trainable = sum(weight.size for layer in model.layers if model.trainable
                    for weight in layer.trainable_params.values())
    return [f"Total params: {total:,} ({total * model.dtype.itemsize / 1024:.2f} KB)",
            f"Trainable params: {trainable:,}", f"Non-trainable params: {total - trainable:,}"]


def _aligned(rows: list[list[str]]) -> list[str]:
    """The rows as lines of columns; numbers, the third column, to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.rjust(width) if i == 2 else cell.ljust(width)
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]
