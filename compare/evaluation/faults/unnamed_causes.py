"""Mistakes that people make and for which the diagnosis has no name yet.

A fault may expect one of these: its name, and the sentence and remedy that a finding should have.
Once the diagnosis can name a mistake it belongs into `compare.diagnosis.catalogue` and is no longer
here; a name never stands in both.
"""

from compare.diagnosis.catalogue import UPDATE, Entry

UNNAMED: dict[str, Entry] = {
    # the training loop
    "batch-order": Entry(
        "the batches come in another order",
        "Shuffle samples and labels together, anew in each epoch.", UPDATE),
}
