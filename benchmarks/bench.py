"""`make bench`: this program against stock tools, like with like, in one run. ARGS="quick steps growth" for a part.

    kernels        the native kernels alone, as a share of the core's multiply-add peak
    profile        where the time of an update goes
    steps          training steps per second by architecture and shape; GFLOP/s; the cost of the gradient record
    architectures  training steps per second of every architecture, against its plain loop in torch
    probes         what each probe costs, beside an update and as a share of training
    characters     characters per second of the experiment char_lm
    throughput     cells per hour of a whole sweep: stock Hydra + joblib + torch.nn, flushed or not, and this
    overhead       seconds a cell costs beside training; planning and resuming 10,000 cells
    growth         time and memory against cells, length, width and lanes, as log-log slopes
    gpu            packs on a CUDA device against serial cuDNN, if there is one

Ratios are medians over interleaved repetitions, so that a busy machine disturbs both sides. Each number is appended to
benchmarks/results.csv unless `quick` is given.
"""

from __future__ import annotations

import sys

from measures import architectures, characters, gpu, growth, kernels, overhead, probes, profile, steps, throughput
from measures.results import Bench
from sweeps.engine.train import prepare_process

MEASURES = {
    module.__name__.rpartition(".")[2]: module.measure
    for module in (kernels, profile, steps, architectures, probes, characters, growth, overhead, throughput, gpu)
}


def main(arguments: list[str]) -> int:
    quick = "quick" in arguments
    names = [name for name in arguments if name != "quick"] or list(MEASURES)
    wrong = [name for name in names if name not in MEASURES]
    if wrong:
        print(f"no measure {', '.join(wrong)}; there are: {', '.join(MEASURES)}, and quick", file=sys.stderr)
        return 2
    prepare_process()
    bench = Bench()
    for name in names:
        MEASURES[name](bench, quick)
    if not quick:
        bench.keep()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
