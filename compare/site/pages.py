"""Pages of the site that are no guides: the README by its sections, the API, the notebooks.

mkdocs calls `on_files` and `on_page_markdown`. Each text stands in one place alone, as one reads it
in the repository; here links are turned to where that place is on the site.
"""

import json
import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
# page of the site: sections of the README, "" for what stands before the first
SECTIONS = {
    "index.md": ("", "What you will see"),
    "reading.md": ("Reading order",),
    "words.md": ("Words",),
    "commands.md": ("Commands",),
    "python.md": ("In Python",),
    "whose.md": ("Whose code can be checked",),
    "gates.md": ("How a verdict is reached",),
    "faults.md": ("How well it finds mistakes",),
    "runs.md": ("One run says little",),
    "coverage.md": ("What it covers",),
    "speed.md": ("Speed",),
    "example.md": ("When a layer does not match",),
}
# page of the site: what its docstrings are taken from
API = {
    "compare": ["compare"],
    "scratch": ["scratch.sequential.Sequential", "scratch.model.Model", "scratch.models",
                "scratch.utils", "scratch.seed", "scratch.history", "scratch.errors"],
    "layers": ["scratch.layers", "scratch.layers.base.weights.LayerWeights",
               "scratch.layers.base.config.HasConfig"],
    "activations": ["scratch.activations"],
    "losses": ["scratch.losses"],
    "optimizers": ["scratch.optimizers", "scratch.optimizers.learning_rate.HasLearningRate",
                   "scratch.optimizers.weight_decay.DecaysWeights"],
    "metrics": ["scratch.metrics"],
    "callbacks": ["scratch.callbacks"],
    "weights": ["scratch.initializers", "scratch.regularizers", "scratch.constraints"],
    "reference": ["reference"],
}
LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def on_files(files, config):
    """Adds the generated pages and the README's figures to mkdocs' files.

    Raises:
        PluginError: for a section of the README that has no page, or a page without its section.
    """
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if unplaced := set(split(text)) ^ {name for names in SECTIONS.values() for name in names}:
        raise PluginError(f"Expected the README's sections and SECTIONS of {__file__} to be the "
                          f"same. In one of the two alone: {', '.join(sorted(unplaced))}")
    made = {name: page_of(text, sections) for name, sections in SECTIONS.items()}
    made |= {f"api/{name}.md": api_page(name) for name in API}
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        source = json.loads(Path(file.abs_src_path).read_text(encoding="utf-8"))
        made[file.src_uri.removesuffix("ipynb") + "md"] = notebook_page(source, file.name)
    for uri, content in made.items():
        files.append(File.generated(config, uri, content=content))
    for name in ("site.css", "iframe-worker.js"):
        files.append(File.generated(config, name, abs_src_path=str(Path(__file__).parent / name)))
    for figure in sorted((ROOT / "tests" / "readme").glob("*.svg")):
        files.append(File.generated(config, f"figures/{figure.name}", abs_src_path=str(figure)))
    return files


def page_of(readme: str, sections: tuple[str, ...]) -> str:
    """The sections of the README as a page of their own; the first one gives its title."""
    parts = split(readme)
    text = "\n".join(("## " + name + "\n" if name else "") + parts[name] for name in sections)
    text = re.sub(r"^<!--.*?-->\n", "", text, flags=re.M | re.S)
    if sections[0]:
        text = re.sub(r"^#(#+ )", r"\1", text, flags=re.M)
    return LINK.sub(lambda m: m[1] + readme_link(m[2], readme) + m[3], text)


def split(readme: str) -> dict[str, str]:
    """The README's sections by their titles; what stands before the first under ""."""
    first, *others = re.split(r"^## ", readme, flags=re.M)
    return {"": first, **{part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in others}}


def readme_link(link: str, readme: str) -> str:
    """A link in the README, as it has to be on the site."""
    if link.startswith("#"):
        return place(link[1:], readme)
    link = link.removeprefix("compare/guides/").replace("tests/readme/", "figures/")
    return link.replace(".ipynb", ".md")


def place(anchor: str, readme: str) -> str:
    """The page, with anchor, of a heading in the README; its first page where there is none."""
    for page, sections in SECTIONS.items():
        for name in sections:
            if slug(name) == anchor:
                return f"{page}#{anchor}"
    return "index.md"


def slug(title: str) -> str:
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")


def on_page_markdown(markdown, page, config, files):
    """Links of a guide to the README and to notebooks."""
    def turned(match):
        link = match[2]
        if link.startswith("../../README.md"):
            link = place(link.partition("#")[2], "")
        return match[1] + link.replace(".ipynb", ".md") + match[3]

    if page.file.src_uri.startswith("notebooks/"):
        return markdown
    return LINK.sub(turned, markdown)


def api_page(name: str) -> str:
    """What is public of some modules; a class brings its own heading."""
    parts = [f"# {name}"]
    for path in API[name]:
        is_class = path.rpartition(".")[2][0].isupper()
        parts.append(f"::: {path}\n    options:\n      show_root_heading: {str(is_class).lower()}")
    return "\n\n".join(parts)


def notebook_page(notebook: dict, name: str) -> str:
    """A notebook as it was run: its text, its code, and what came out."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        parts += [shown(output) for output in cell["outputs"]]
    parts.append(f"[This page as a notebook]({name}.ipynb)")
    return "\n\n".join(part for part in parts if part)


def shown(output: dict) -> str:
    """What a cell put out: HTML if there is any, or else text."""
    if output["output_type"] == "stream":
        return fenced(output["text"])
    if output["output_type"] == "error":
        return fenced([f"{output['ename']}: {output['evalue']}"])
    data = output["data"]
    if "text/html" in data:
        html = re.sub(r"\n\s*\n", "\n", "".join(data["text/html"]))  # Markdown ends at empty lines
        return f'<div class="output">{html}</div>'
    return fenced(data["text/plain"])


def fenced(lines) -> str:
    return f"```text\n{''.join(lines).rstrip()}\n```"
