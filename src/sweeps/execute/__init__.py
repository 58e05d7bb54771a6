"""Training the packs of a plan: executors place a pack and say how it ended; the harness knows the rest."""
