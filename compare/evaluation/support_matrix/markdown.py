"""Tables, values and links as Markdown."""


def table(headers: list[str], rows: list[list[str]]) -> str:
    """A table; a line break or a bar within a cell would end it."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ")
                                       for cell in line) + " |" for line in lines) + "\n"


def code(value) -> str:
    """A value as Python writes it, an object by its class."""
    if callable(value) and hasattr(value, "get_config"):
        return f"`{type(value).__name__}`"
    return "a function" if callable(value) else f"`{value!r}`"


def names(values) -> str:
    """Names, in the order given."""
    return ", ".join(f"`{value}`" for value in values)


def links(entries) -> str:
    """To declared differences."""
    return ", ".join(f"[{entry.name}](#{entry.name})" for entry in entries)
