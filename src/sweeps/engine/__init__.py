"""The engine: trains packs of recurrent networks, batched along a leading lane axis. Knows tensors; no files, no Hydra.

Letters in the shapes of this package:
`K` lanes, `T` time steps, `B` batch size, `H` hidden units, `I` inputs, `O` outputs, `G` gate blocks,
`P` parameters of a lane. Weights are `[K, ...]`, per-lane settings and losses `[K]`; a cell on its own is `K = 1`,
through the same code.
"""
