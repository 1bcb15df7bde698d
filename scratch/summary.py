"""The table that `model.summary()` prints."""


def summary_table(model) -> str:
    """One line per layer: name and type, output shape, number of weights; then the totals."""
    rows = [("Layer (type)", "Output shape", "Params")]
    for layer in model.layers:
        rows.append((f"{layer.name} ({type(layer).__name__})", str(layer.output_shape),
                     f"{layer.count_params():,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = ["  ".join((row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].rjust(widths[2])))
             for row in rows]
    rule = "-" * len(lines[0])
    total = model.count_params()
    trainable = sum(layer.count_params() for layer in model.layers
                    if layer.trainable and model.trainable)
    return "\n".join([
        f'Model: "{model.name}" ({model.dtype.name})', rule, lines[0], rule, *lines[1:], rule,
        f"Total params: {total:,} ({total * model.dtype.itemsize / 1024:.2f} KB)",
        f"Trainable params: {trainable:,}", f"Non-trainable params: {total - trainable:,}",
    ])
