"""The gradient through time of one cell as a picture: colour is log10 ||dL/dh_t||, over the lag and the training step.

Drawn with Pillow alone, in a few milliseconds, because every cell of a sweep gets one.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PLOT = (480, 240)  # pixels of the map itself, width and height
LEFT, TOP, RIGHT, BOTTOM = 64, 30, 96, 40  # margins: the steps, the title, the colour bar, the lags
_COLOURS = 250  # of the colour map; the palette's indices from here on are the three below
_VIRIDIS = (  # the colour map of that name, at 17 equal steps
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c "
    "1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
)
_WHITE, _BLACK, _MISSING = 250, 251, 252


def heat_map(norms: np.ndarray, steps: np.ndarray) -> Image.Image:
    """Draw `norms` [S, T], log10 ||dL/dh_t|| by step and lag, at the training steps `steps` [S], the first on top.

    Values that are not finite are magenta: nan was not measured or is not a number, -inf is a gradient of exactly 0.
    """
    finite = norms[np.isfinite(norms)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    with np.errstate(invalid="ignore"):
        level = (norms - low) * ((_COLOURS - 1) / (high - low) if high > low else 0.0)
    index = np.where(np.isfinite(norms), np.nan_to_num(level, nan=0.0, posinf=0.0, neginf=0.0).round(), _MISSING)
    width, height = PLOT
    size = (LEFT + width + RIGHT, TOP + height + BOTTOM)
    image = Image.new("P", size, _WHITE)
    image.putpalette(_palette())
    image.paste(Image.fromarray(index.astype(np.uint8)).resize(PLOT, Image.Resampling.NEAREST), (LEFT, TOP))
    bar = np.repeat(np.linspace(_COLOURS - 1, 0, height).round().astype(np.uint8)[:, None], 14, axis=1)
    image.paste(Image.fromarray(bar), (LEFT + width + 14, TOP))

    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"  # no anti-aliasing: the palette has no greys
    right, below, last = LEFT + width, TOP + height, norms.shape[1] - 1

    def text(x: float, y: float, what: str, anchor: str) -> None:
        draw.text((x, y), what, fill=_BLACK, font=_font(), anchor=anchor)

    text(LEFT, TOP - 10, "log10 ||dL/dh_t||", "ls")
    for lag in sorted({0, last // 2, last}):
        text(LEFT + width * (lag + 0.5) / (last + 1), below + 5, f"{lag}", "mt")
    text(LEFT + width / 2, below + 21, "lag (steps back from the end)", "mt")
    for row in sorted({0, len(steps) - 1}):
        text(LEFT - 6, TOP + height * (row + 0.5) / len(steps), f"{int(steps[row])}", "rm")
    text(LEFT - 6, TOP + height / 2, "step", "rm")
    for y, value in ((TOP, high), (TOP + height / 2, (low + high) / 2), (below, low)):
        text(right + 34, y, f"{value:.4g}", "lm")
    draw.rectangle((LEFT - 1, TOP - 1, right, below), outline=_BLACK)
    draw.rectangle((right + 13, TOP - 1, right + 28, below), outline=_BLACK)
    return image


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(13)


@cache
def _palette() -> bytes:
    at, stops = np.linspace(0.0, 1.0, _COLOURS), np.array([list(bytes.fromhex(stop)) for stop in _VIRIDIS.split()])
    colours = np.stack([np.interp(at, np.linspace(0.0, 1.0, len(stops)), channel) for channel in stops.T], axis=1)
    white, black, missing = (255, 255, 255), (0, 0, 0), (255, 0, 255)
    return np.concatenate([colours, [white, black, missing]]).round().astype(np.uint8).tobytes()
