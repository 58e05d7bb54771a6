"""Frames to figures in one house style. Figures draw and never compute."""
