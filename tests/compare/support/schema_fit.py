"""Whether what a command wrote fits the schema that ships with the package."""

import json

import pytest

from compare import schemas
from compare.document.plain_json import dumps


def require_fit(name: str, value) -> None:
    """Raises jsonschema's ValidationError if a value, or a file of JSON, does not fit."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    text = value.read_text() if hasattr(value, "read_text") else dumps(value)
    jsonschema.Draft202012Validator(schemas.load(name)).validate(json.loads(text))
