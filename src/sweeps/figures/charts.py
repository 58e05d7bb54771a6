"""Title and question of every figure, shared by the local report and the W&B report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chart:
    """The title of a figure and the question that it answers."""

    title: str
    question: str


ON_FIRST_SCREEN = "score_by_level"
"""The figure that shows what a study found."""
CHARTS = {
    "score_by_level": Chart(
        "What every run reached, by what mattered",
        "How well do the networks learn, by the settings that matter most?",
    ),
    "gradient_by_lag_start": Chart(
        "Gradient through time, at initialisation",
        "How far back in time does the gradient reach before the first update?",
    ),
    "gradient_by_lag_end": Chart(
        "Gradient through time, at the end of training",
        "How far back does the gradient reach once the network is trained, and how fast does it decay per step?",
    ),
    "gradient_norm_by_level": Chart(
        "Gradient norm of all parameters",
        "How large is the gradient of all parameters?",
    ),
    "loss_curves": Chart(
        "Loss over training",
        "How far does the loss fall, and how fast?",
    ),
    "share_solved": Chart(
        "Share solved",
        "How many runs solve the task?",
    ),
    "clipping": Chart(
        "Gradient norm before and after clipping",
        "How much of the gradient does clipping take away, and when?",
    ),
    "outcomes": Chart(
        "Outcomes over the whole grid",
        "Where do runs solve the task, and where do they diverge?",
    ),
    "trainability_map": Chart(
        "What can be trained, by gain and sequence length",
        "Does a network learn what mean-field theory says that it can?",
    ),
    "gradient_and_learning": Chart(
        "What is left of the gradient, and what was learned",
        "Do the runs learn whose gradient arrives, at the start or in training?",
    ),
    "gradient_and_theory": Chart(
        "Gradient through time, measured and as theory says",
        "Is the gradient before training what theory says of these settings?",
    ),
    "gradient_after_fifty_steps": Chart(
        "What is left of the gradient after fifty steps",
        "How much of the gradient does each initialisation let through fifty time steps?",
    ),
    "parameter_norms": Chart(
        "Gradient norm of each parameter",
        "Which parameters have large gradients, and when?",
    ),
    "backpropagation_graph": Chart(
        "Back-propagation through time",
        "How much of the gradient arrives at each state?",
    ),
    "singular_values": Chart(
        "Singular values of the Jacobian over time",
        "In how many directions does a change of the state arrive?",
    ),
    "eigenvalues": Chart(
        "Eigenvalues of the recurrent matrices",
        "How does training move the spectrum of the recurrence?",
    ),
    "gate_histograms": Chart(
        "Values of the gates",
        "Are gates open, shut, or between?",
    ),
    "hidden_states": Chart(
        "Hidden states over a sequence",
        "What do the units do over time?",
    ),
}
"""By name in `figures.catalogue.ALL`; a figure that is missing here has its name as its title."""
