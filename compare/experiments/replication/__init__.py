"""Several benchmark runs, and what they say together.

    from compare.experiments import replication
    result = replication.run(replication.Settings(seeds=5), directory="runs")
    print(replication.render(result))

Reading order: running.py (the runs, as independent jobs), results.py (what is kept of each),
statistics.py (means, intervals, tests), report.py (text), json_record.py, figures.py, page.py with
page_runs.py and page_twin_check.py (HTML), files.py.
"""

from compare.experiments.replication.report import render
from compare.experiments.replication.results import Replication, Run
from compare.experiments.replication.running import Settings, run

__all__ = ["Replication", "Run", "Settings", "render", "run"]
