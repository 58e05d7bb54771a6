"""The engine: packs of recurrent networks trained along a leading lane axis. Knows tensors; no files, no Hydra.

One legend for every shape in this package:
`K` lanes, `T` steps, `B` batch, `H` hidden units, `I` inputs, `O` outputs, `G` gate blocks, `P` parameters of a lane.
Weights are `[K, ...]`, per-lane settings and losses `[K]`; a solo run is `K = 1` through the same code.
"""
