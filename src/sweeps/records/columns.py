"""The columns of the CSV files, in order. These names are a contract with other people's scripts.

Floats are written so that they read back to the same bits; non-finite values as `nan`, `inf`, `-inf`; a value
that was not measured at that step (`eval_loss` between two evaluations) is an empty field.
"""

FORMAT = 1
"""Version of the record files; a reader lists cells of another version instead of mixing them in."""

METRICS = (
    "step",  # updates the weights have had when the row was measured
    "train_loss",  # mean loss over the batch of this step
    "eval_loss",  # mean loss over the evaluation set
    "eval_score",  # the task's score over the evaluation set, higher is better
    "grad_norm",  # global norm of the gradient before clipping
    "grad_norm_clipped",  # the same after clipping
    "clip_scale",  # grad_norm_clipped / grad_norm
    "lr",  # learning rate of this step
    "beyond_float32",  # number of time steps t whose ||dL/dh_t|| is beyond float32: the training gradient is 0 or inf
)
GRADIENT_THROUGH_TIME = (
    "step",
    "t",  # time step, 0 .. T-1
    "lag",  # T - 1 - t
    "log10_norm",  # log10 of the Frobenius norm of dL/dh_t over batch and hidden units
)
TOTAL = "log10_norm_total"
"""A further column of gradient_through_time.csv where every time step has an answer: as `log10_norm`, which is of the
loss of the last answer, but of the loss of all."""
LAYER = "layer"
"""A further column of gradient_through_time.csv where a network has several layers: 0 is the lowest."""
DIRECTION = "direction"
"""A further, last column of gradient_through_time.csv where layers read in both directions: 0 forwards, 1 in reverse.
In the rows of the reverse direction t counts its own time steps: t = 0 is the last of the sequence."""
PARAMETERS = (
    "step",
    "parameter",  # e.g. weight_hh.f: the recurrent matrix of the forget gate
    "grad_norm",  # Frobenius norm of its gradient, before clipping
    "weight_norm",  # Frobenius norm of its value
    "spectral_radius",  # recurrent matrices only: largest |eigenvalue|
    "sigma_max",  # recurrent matrices only: largest singular value
)
OPTIONAL = ("beyond_float32",)
"""Columns that a record of this format may lack, because they were added later."""
OUTCOMES = ("solved", "finished", "diverged", "failed")
