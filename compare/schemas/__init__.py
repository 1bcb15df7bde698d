"""JSON schemas (draft 2020-12) of everything that the commands write with `--json`.

    from compare import schemas
    jsonschema.validate(json.load(open("report.json")), schemas.load("check"))

Each output says which schema it follows under "schema". The number at its end goes up when
something is removed or changes its meaning; what is merely added leaves it as it is. Every figure
is described there, with its unit.
"""

import json
from importlib import resources

NAMES = ("check", "record", "benchmark", "campaign", "speed", "fuzz", "faults", "grades",
         "support")
# A benchmark holds the report on its twins: whole, so that nothing has to be looked up elsewhere.
PARTS = {"benchmark": ("check",)}


def load(name: str) -> dict:
    """The schema of that name: 'check' is also that of `parity debug`.

    Raises:
        ValueError: for a name that there is not.
    """
    if name not in NAMES:
        raise ValueError(f"Expected: one of {', '.join(NAMES)}. Received: {name!r}")
    schema = json.loads(resources.files(__package__).joinpath(f"{name}.json")
                        .read_text(encoding="utf-8"))
    for part in PARTS.get(name, ()):
        schema["$defs"][part] = load(part)
    return schema
