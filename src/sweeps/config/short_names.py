"""Short names of the settings that a study is about: columns of tables, and keys of a W&B run's config."""

SHORT_NAMES = {
    "task.name": "task",
    "optim.name": "optim",
    "arch.name": "arch",
    "init.name": "init",
    "clip.name": "clip",
    "task.length": "length",
    "arch.hidden": "hidden",
    "init.gain": "gain",
    "clip.threshold": "threshold",
    "optim.lr": "lr",
    "train.steps": "steps",
    "train.batch": "batch",
    "seed": "seed",
}
"""By dotted name; any other setting keeps its dotted name."""
