"""Characters a second in training: the experiment char_lm against the same model in stock torch.nn.

Both sides run one thread and a whole update each: 32 places of the text go on by 64 characters, one-hot; two LSTM
layers that go on in the state in which they ended; cross entropy at every step, clipping by norm, Adam; loss and norm
are read. Evaluations and the record of the gradient, every 100th update, are left out.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch

from measures.cells import settings
from measures.results import Bench, seconds
from measures.steps import ratio
from sweeps.engine.setup import set_up
from sweeps.engine.update import Update
from sweeps.tasks import Task

LANES = (1, 4)
SIDES = ("unflushed", "flushed", "pack")
UPDATES = 3
"""Of a side, one after another, before the next side has its turn."""


def stock(task: Task, hidden: int, layers: int, batch: int, lr: float, threshold: float) -> Callable[[], object]:
    """One update as a competent user writes it; the text of the task is laid out in `batch` rows."""
    codes = torch.from_numpy(task.codes)  # type: ignore[attr-defined]
    rows = codes[: len(codes) // batch * batch].view(batch, -1).T.contiguous()  # [time, B]
    lstm, readout = torch.nn.LSTM(task.inputs, hidden, layers), torch.nn.Linear(hidden, task.outputs)
    parameters = [*lstm.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=lr)
    at, state = 0, None

    def update() -> object:
        nonlocal at, state
        if at + task.length >= len(rows):
            at, state = 0, None
        symbols, targets = rows[at : at + task.length], rows[at + 1 : at + task.length + 1]
        at += task.length
        optimizer.zero_grad()
        states, state = lstm(torch.nn.functional.one_hot(symbols, task.inputs).float(), state)
        state = tuple(part.detach() for part in state)
        loss = torch.nn.functional.cross_entropy(readout(states).flatten(0, 1), targets.flatten())
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, threshold)
        optimizer.step()
        return loss.item(), norm.item()

    return update


def measure(bench: Bench, quick: bool) -> None:
    cells = [settings("experiment=char_lm", f"seed={seed}") for seed in range(max(LANES))]
    own, rows = cells[0], []
    characters = own.train.batch * own.task.length
    for lanes in LANES:
        training = set_up(cells[:lanes])
        update = Update(training)
        theirs = stock(
            training.task, own.arch.hidden, own.stack.layers, own.train.batch, own.optim.lr, own.clip.threshold
        )

        def ours(update: Update = update) -> object:
            values = update.backward()
            update.clip()
            update.apply()
            return values

        work = {"unflushed": theirs, "flushed": theirs, "pack": ours}
        spent: dict[str, list[float]] = {name: [] for name in SIDES}
        for repetition in range((5 if quick else 11) + 1):
            for name in SIDES:
                torch.set_flush_denormal(name != "unflushed")
                taken = seconds(lambda: [work[name]() for _ in range(UPDATES)]) / UPDATES  # noqa: B023 (called at once)
                if repetition:
                    spent[name].append(taken)
        torch.set_flush_denormal(True)
        numbers = {
            "characters_per_s": lanes * characters / statistics.median(spent["pack"]),
            "stock_characters_per_s": characters / statistics.median(spent["flushed"]),
            "vs_flushed": lanes * ratio(spent, "flushed", "pack"),
            "vs_unflushed": lanes * ratio(spent, "unflushed", "pack"),
        }
        case = f"char_lm {training.network.kernel} K={lanes}"
        for quantity, value in numbers.items():
            bench.note("characters", case, quantity, value)
        ours_, theirs_, flushed, unflushed = numbers.values()
        rows.append([
            training.network.kernel, str(lanes), f"{ours_:,.0f}", f"{theirs_:,.0f}", f"{flushed:.2f}",
            f"{unflushed:.2f}",
        ])  # fmt: skip
    heads = ["kernel", "lanes", "characters/s", "stock", "x flushed", "x not"]
    bench.show(f"Characters a second of char_lm on one core, T = {own.task.length}", 1, heads, rows)
