"""The plugins through which Hydra uses `sweeps`. Hydra imports them at every start, so they import little."""
