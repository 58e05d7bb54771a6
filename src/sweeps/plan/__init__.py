"""From settings to packs: which cells to train, how they are packed, and a time forecast. No Hydra, torch or files."""
