"""Figures that need no records: what theory says, for a lecture or the page beside a measurement.

Each is a function of nothing and an entry of `THEORY`; `python -m sweeps figure NAME` draws it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from sweeps.analysis.labels import label
from sweeps.figures.panels import Grid, PowerOfTen, legend_above, wrapped
from sweeps.figures.style import house, lines
from sweeps.theory import activations, carry, cliff, mean_field, powers

PHIS = {"tanh": "rnn_tanh", "relu": "rnn_relu", "sigmoid": "rnn_sigmoid"}
"""Activation functions, each drawn as the plain network that has it."""
LAYERS = 10
STEPS, SIZE, SHEARED, RADIUS = 150, 32, 5, 0.95
BIASES = (-1.0, 0.0, 1.0, 2.0, 3.0, 5.0)
LONGEST = 200
INTO_THE_WALL = 5.2, -2.95
"""Where gradient descent starts that meets the wall, (w, b)."""


def activation_functions() -> Grid:
    """tanh, relu and sigmoid, their derivatives, and the product of these over ten layers of one unit each."""
    z, style = np.linspace(-5, 5, 401), lines("arch", list(PHIS.values()))
    with house():
        figure, (value, slope, product) = wrapped(3, height=2.2)
        for phi, arch in PHIS.items():
            made, line = activations.activation(phi), style[arch]
            how = {"color": line.colour, "linestyle": line.dashes, "label": phi}
            value.plot(z, made.value(z), **how)
            slope.plot(z, made.slope(z), **how)
            with np.errstate(divide="ignore"):
                through = np.log10(np.abs(activations.chain(phi, z, LAYERS)[1][-1]))
            product.plot(z, np.where(np.isfinite(through), through, np.nan), **how)
        _label(value, "z", "φ(z)", "function")
        value.set_ylim(-1.2, 2.5)
        _label(slope, "z", "φ'(z)", "derivative")
        _label(product, "input of the first layer", "derivative of the last", f"through {LAYERS} layers")
        product.yaxis.set_major_formatter(PowerOfTen(lambda power, _: f"$10^{{{power:.0f}}}$"))
        legend_above(figure, value.get_lines())
    return figure


def matrix_powers() -> Grid:
    """||W^k|| of three matrices of the same spectral radius, between rho^k and sigma_max^k."""
    rng = np.random.default_rng(0)
    normal = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0] * RADIUS
    gaussian = rng.normal(size=(SIZE, SIZE))
    gaussian *= RADIUS / np.abs(np.linalg.eigvals(gaussian)).max()
    shear = RADIUS * np.eye(SHEARED) + np.diag(np.full(SHEARED - 1, 0.2), 1)
    matrices = {"orthogonal": normal, "Gaussian": gaussian, "triangular": shear}
    k = np.arange(STEPS + 1)
    with house():
        figure, axes = wrapped(len(matrices), height=2.2, sharey=True)
        for ax, (name, w) in zip(axes, matrices.items(), strict=True):
            ax.plot(k, powers.log10_power_norms(w, STEPS), color="#0072B2", label="‖Wᵏ‖")
            ax.plot(k, powers.log10_radius_envelope(w, k), color="#555555", linestyle="--", label="ρᵏ")
            ax.plot(k, powers.log10_singular_envelope(w, k), color="#D55E00", linestyle=":", label="σᵏ, σ the largest")
            _label(ax, "power k", "", f"{name}, ρ = {RADIUS:g}, σ = {np.linalg.norm(w, 2):.2f}")
            ax.yaxis.set_major_formatter(PowerOfTen(lambda power, _: f"$10^{{{power:.0f}}}$"))
            ax.set_ylim(-4.5, 4.5)
        legend_above(figure, axes[0].get_lines())
    return figure


def gradient_factor() -> Grid:
    """By which factor a step back multiplies the norm of the gradient, sqrt(chi), against gain, for two drives."""
    gains, style = np.linspace(0.2, 3, 113), lines("arch", list(PHIS.values()))
    with house():
        figure, axes = wrapped(2, height=2.2, sharey=True)
        for ax, drive in zip(axes, (0.01, 0.5), strict=True):
            for phi, arch in PHIS.items():
                chi = np.array([mean_field.gradient_factor(phi, gain, drive) for gain in gains])
                ax.plot(gains, np.sqrt(chi), color=style[arch].colour, linestyle=style[arch].dashes, label=label(arch))
            ax.axhline(1.0, color="#888888", linewidth=0.8)
            _label(ax, "gain", "", f"drive {drive:g}")
            ax.set_ylim(0, 2)
        axes[0].set_ylabel("factor per step back, √χ")
        legend_above(figure, axes[0].get_lines()[:-1])
    return figure


def forget_gates() -> Grid:
    """What the forget gates of an LSTM carry over k steps at the start, by forget bias and with `init=chrono`."""
    k = np.arange(LONGEST + 1)
    style = lines("arch.forget_bias", list(BIASES))
    with house():
        figure, [ax] = wrapped(1, height=2.6)
        for bias in BIASES:
            line = style[bias]
            ax.plot(k, carry.log10_carry(bias, k), color=line.colour, linestyle=line.dashes, label=f"bias {bias:g}")
        ax.plot(
            k, np.log10(carry.chrono_carry(LONGEST, k)), color="#D55E00", linewidth=1.8, label=f"chrono to {LONGEST}"
        )
        _label(ax, "lag k (steps back)", "carried, ∏ f", "")
        ax.set_ylim(-12, 0.5)
        ax.yaxis.set_major_formatter(PowerOfTen(lambda power, _: f"$10^{{{power:.0f}}}$"))
        legend_above(figure, ax.get_lines())
    return figure


def loss_wall() -> Grid:
    """The error of one unit over its weight and bias, with gradient descent into its wall, and its curvature."""
    w, b = np.meshgrid(np.linspace(4.5, 7, 251), np.linspace(-3.2, -2, 121))
    with house():
        figure, (surface, bent) = wrapped(2, height=2.5)
        mesh = surface.pcolormesh(w, b, np.sqrt(cliff.error(w, b)), cmap="cividis", rasterized=True)
        figure.colorbar(mesh, ax=surface, label="√E")
        for name, threshold, colour in (("no clipping", np.inf, "#D55E00"), ("clipping at 1", 1.0, "black")):
            x, y = cliff.descend(*INTO_THE_WALL, 0.1, 400, threshold)[0].T
            surface.plot(x, y, color=colour, marker=".", markersize=2, linewidth=0.9, label=name)
        surface.set(xlim=(4.5, 7), ylim=(-3.2, -2))
        _label(surface, "weight w", "bias b", "error")
        norm, curvature = np.hypot(*cliff.gradient(w, b)), cliff.curvature(w, b)
        bent.plot(norm.ravel()[::7], curvature.ravel()[::7], ".", color="#0072B2", markersize=1.5, rasterized=True)
        bent.set(xscale="log", yscale="log")
        _label(bent, "gradient ‖g‖", "curvature ‖H‖", "on a grid of both")
        legend_above(figure, surface.get_lines())
    return figure


def _label(ax: Axes, x: str, y: str, title: str) -> None:
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_title(title)


THEORY: dict[str, Callable[[], Grid]] = {
    "activation_functions": activation_functions,
    "matrix_powers": matrix_powers,
    "gradient_factor": gradient_factor,
    "forget_gates": forget_gates,
    "loss_wall": loss_wall,
}
"""The figures by name."""
