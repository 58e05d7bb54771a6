"""The doors through which Hydra finds `sweeps`. It imports these at every start, so they stay light."""
