"""Evidence about the harness itself: fuzzing/ (random networks), faults/ (mistakes put in on
purpose), deviations/ (where scratch differs from Keras), support_matrix/ (what is supported).
"""
