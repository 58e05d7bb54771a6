"""From settings to packs: which cells to train, how they are packed, what they cost. No Hydra, no torch, no files."""
