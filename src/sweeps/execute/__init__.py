"""Training the packs of a plan: an executor runs packs and reports how each ended, the harness decides what is left."""
