"""The files of a campaign: campaign.md, campaign.json and campaign.png."""

from pathlib import Path

from compare.document.files import replacing, write_text
from compare.experiments.replication.figures import picture
from compare.experiments.replication.json_record import as_json
from compare.experiments.replication.report import markdown
from compare.experiments.replication.results import Campaign

CAPTION = "Figures of every pair of runs, and their differences"


def write_directory(result: Campaign, directory) -> list[Path]:
    """Writes all three into a directory that exists; returns their paths."""
    directory = Path(directory)
    with replacing(directory / "campaign.png") as path:
        picture(result).savefig(path, format="png", dpi=150)
    write_text(directory / "campaign.json", as_json(result))
    write_text(directory / "campaign.md", markdown(result, {"campaign.png": CAPTION}))
    return [directory / name for name in ("campaign.md", "campaign.json", "campaign.png")]
