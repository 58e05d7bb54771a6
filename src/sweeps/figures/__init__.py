"""Figures in one house style: `curves` computes the frames, the drawing functions draw them as they are."""
