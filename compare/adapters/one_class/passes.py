"""The passes that a network in one class has to have, by their names."""

STEPS = ("train_step", "train_on_batch", "fit", "train", "step", "update")  # as they are called


def require(how) -> None:
    """Raises a ValueError that names the option if the network has no method of a name."""
    there = [name for name in dir(how.obj) if not name.startswith("_")
             and callable(getattr(how.obj, name, None))]
    for what in ("forward", "backward", "loss", "step"):
        name = getattr(how, what)
        if not isinstance(name, str) or "." in name or callable(getattr(how.obj, name, None)):
            continue
        more = ""
        if what == "backward":
            step = next((each for each in STEPS if each in there), None)
            more = ", backward=None where there is none"
            if step is not None:
                more += f", and step={step!r} to have the change judged that a step makes"
        raise ValueError(f"Expected a method {name!r} in {how.name}. compare.wrap(..., "
                         f"{what}='NAME') says what it is called{more}. "
                         f"It has: {', '.join(there) or 'none'}")
