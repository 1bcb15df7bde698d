"""Examples in docstrings: one heading, `Example:`, is what this project writes."""

import re

import griffe


class Examples(griffe.Extension):
    """Reads `Example:` as the section that griffe knows as `Examples:`."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = re.sub(r"^(\s*)Example:$", r"\1Examples:", obj.docstring.value,
                                         flags=re.M)
