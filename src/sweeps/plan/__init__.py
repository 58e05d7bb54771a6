"""From settings to packs: who is to train, with whom, and how long it will take. No Hydra, no torch, no files."""
