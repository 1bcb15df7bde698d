"""The files of a replication: campaign.md, campaign.json and campaign.svg."""

from pathlib import Path

from compare.document.files import write_text
from compare.document.pictures import Picture, write_pictures
from compare.experiments.replication.figures import picture
from compare.experiments.replication.json_record import as_json
from compare.experiments.replication.report import markdown
from compare.experiments.replication.results import Replication

CAPTION = "Figures of every pair of runs, and their differences"


def write_directory(result: Replication, directory) -> list[Path]:
    """Writes all three into a directory that exists; returns their paths."""
    directory = Path(directory)
    captions = write_pictures({"campaign.svg": Picture(CAPTION, picture(result))}, directory)
    write_text(directory / "campaign.json", as_json(result))
    write_text(directory / "campaign.md", markdown(result, captions))
    return [directory / name for name in ("campaign.md", "campaign.json", *captions)]
