"""Both sides trained and timed: benchmark/, replication/ (several pairs of runs), performance/, and
execution/, which runs them as jobs.
"""
