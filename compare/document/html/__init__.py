"""Reports as HTML: whole pages that need nothing but themselves, and fragments for notebooks.

Reading order: page.py with page.css and page.js (the frame of every page), sections.py
(what a report says in words and tables). What is drawn comes from `compare.document.charts`. The
pages themselves stand with what they show: `compare.report.page`,
`compare.experiments.benchmark.page`, `compare.experiments.replication.page`.
"""
