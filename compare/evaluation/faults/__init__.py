"""The harness, scored by faults that are put into networks on purpose.

    from compare.evaluation.faults import catalogue, scoring
    fault = catalogue.by_identifier()["conv2d-kernel-flipped"]
    scoring.score(fault, scoring.Cases())        # detected, placed, named?

Reading order: fault.py (what a fault is), networks.py (what it is put into), injection.py (how),
families/ (all of them, a table per family), catalogue.py, scoring.py; false_alarms.py (networks
without any), baseline_rules.py, gradient_check.py and baselines.py (how others decide), running.py,
tables.py; accuracy_impact.py and accuracy_table.py (what a fault does to learning).
"""
