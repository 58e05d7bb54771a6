"""The harness with executors that lose packs: the other cells get done, the cause is named, the sweep ends."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from helpers import make_cell, summary_of
from sweeps.errors import SweepsError
from sweeps.execute.executor import Ended, Message
from sweeps.execute.harness import ATTEMPTS, Result, locked, run
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack
from sweeps.plan.plan import Plan, make_plan
from sweeps.records.files import write_json
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import finished

CELLS = [make_cell(f"seed={seed}") for seed in range(16)]


def plan_of(count: int, workers: int = 1) -> Plan:
    return make_plan(CELLS[:count], {}, workers, lanes=count)


def finish(cell: Cell, root: Path, outcome: str = "finished") -> None:
    paths = SweepPaths(root).cell(cell.id)
    write_json(paths.summary, summary_of(cell.id, outcome))
    paths.failure.unlink(missing_ok=True)


Behaviour = Callable[[Pack, Path, int], Ended]
"""(pack, root, packs run so far) -> how the pack ends; writes the records of the cells that it trained."""


class Fake:
    """Runs packs one after the other in this process, as `behave` says; gives up a test that never ends."""

    workers = 1
    limit = 200

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.ran: list[Pack] = []

    def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
        for pack in packs:
            self.ran.append(pack)
            assert len(self.ran) < self.limit, "an endless loop"
            yield Message(pack, "progress", {"done": 0.5})
            yield self.behave(pack, root, len(self.ran))


def works(pack: Pack, root: Path, time: int = 0) -> Ended:
    for cell in pack.cells:
        finish(cell, root)
    return Ended(pack)


def poisoned(*seeds: int, lost: str | None = "killed by SIGKILL", error: str | None = None) -> Behaviour:
    """A pack with one of these seeds is lost before any of its cells is done."""

    def behave(pack: Pack, root: Path, time: int) -> Ended:
        if any(cell.settings.seed in seeds for cell in pack.cells):
            return Ended(pack, lost, error)
        return works(pack, root)

    return behave


def trained(count: int, behave: Behaviour, root: Path) -> tuple[Result, Fake, dict[int, str]]:
    """The result, the executor, and the ids by seed."""
    executor, plan = Fake(behave), plan_of(count)
    result = run(plan, SweepPaths(root), executor, lambda event: None)
    return result, executor, {cell.settings.seed: cell.id for cell in plan.cells}


def test_when_all_goes_well_each_pack_runs_once(tmp_path: Path) -> None:
    result, executor, ids = trained(8, works, tmp_path)
    assert len(executor.ran) == 1
    assert (result.outcomes, result.failures) == (dict.fromkeys(ids.values(), "finished"), {})


@pytest.mark.parametrize("count", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("poison", [0, -1])
def test_a_poisonous_cell_is_cornered_and_its_neighbours_get_done(tmp_path: Path, count: int, poison: int) -> None:
    seed = poison % count
    result, executor, ids = trained(count, poisoned(seed), tmp_path)
    assert set(result.failures) == {ids[seed]}
    assert result.failures[ids[seed]] == f"its worker was killed by SIGKILL, {ATTEMPTS} times"
    assert set(result.outcomes) == set(ids.values()) - {ids[seed]}
    sizes = [len(pack.cells) for pack in executor.ran if any(cell.settings.seed == seed for cell in pack.cells)]
    assert sizes == sorted(sizes, reverse=True), "each retry is smaller"
    assert sizes.count(1) == ATTEMPTS
    assert len(executor.ran) <= 2 * count + ATTEMPTS


def test_word_is_left_of_a_failed_cell_and_it_is_not_done(tmp_path: Path) -> None:
    _, _, ids = trained(4, poisoned(2), tmp_path)
    paths = SweepPaths(tmp_path).cell(ids[2])
    failure = json.loads(paths.failure.read_text())
    assert failure == {
        "cell": ids[2],
        "name": "rnn_tanh orthogonal clip=none T=6 seed=2",
        "outcome": "failed",
        "reason": f"its worker was killed by SIGKILL, {ATTEMPTS} times",
    }
    assert finished(paths) is None
    assert not SweepPaths(tmp_path).cell(ids[1]).failure.exists()


def test_a_failed_cell_is_tried_again_by_the_next_sweep(tmp_path: Path) -> None:
    trained(4, poisoned(2), tmp_path)
    plan = plan_of(4)
    executor = Fake(works)
    result = run(plan, SweepPaths(tmp_path), executor, lambda event: None)
    assert [[cell.settings.seed for cell in pack.cells] for pack in executor.ran] == [[2]]
    assert result.failures == {}
    assert len(result.outcomes) == 4


def test_every_cell_poisonous(tmp_path: Path) -> None:
    result, executor, ids = trained(8, poisoned(*range(8)), tmp_path)
    assert set(result.failures) == set(ids.values())
    assert result.outcomes == {}
    assert len(executor.ran) == (1 + 2 + 4) + 8 * ATTEMPTS


def test_an_exception_is_not_tried_twice_alone_for_it_would_come_again(tmp_path: Path) -> None:
    trace = "Traceback (most recent call last):\n  ...\nValueError: no"
    result, executor, ids = trained(4, poisoned(1, lost=None, error=trace), tmp_path)
    assert result.failures == {ids[1]: trace}
    assert [len(pack.cells) for pack in executor.ran if pack.cells[0].settings.seed == 1] == [1]
    assert json.loads(SweepPaths(tmp_path).cell(ids[1]).failure.read_text())["reason"] == trace


def test_a_cell_lost_once_alone_gets_a_second_chance(tmp_path: Path) -> None:
    def unlucky(pack: Pack, root: Path, time: int) -> Ended:
        return Ended(pack, "ended with status 1") if time == 1 else works(pack, root)

    result, executor, _ = trained(1, unlucky, tmp_path)
    assert result.failures == {}
    assert len(executor.ran) == ATTEMPTS == 2


def test_a_pack_that_died_after_some_cells_had_ended_retries_only_the_rest(tmp_path: Path) -> None:
    def dies_halfway(pack: Pack, root: Path, time: int) -> Ended:
        if time > 1:
            return works(pack, root)
        for cell in pack.cells[:3]:
            finish(cell, root, "diverged")
        return Ended(pack, "killed by SIGKILL")

    result, executor, ids = trained(8, dies_halfway, tmp_path)
    assert [[cell.settings.seed for cell in pack.cells] for pack in executor.ran] == [
        list(range(8)),
        [3, 4, 5, 6, 7],
    ]
    assert result.failures == {}
    assert [result.outcomes[ids[seed]] for seed in range(8)] == ["diverged"] * 3 + ["finished"] * 5


def test_what_ended_is_done_even_if_the_executor_says_it_was_lost(tmp_path: Path) -> None:
    def writes_then_dies(pack: Pack, root: Path, time: int) -> Ended:
        works(pack, root)
        return Ended(pack, "killed by SIGKILL")

    result, executor, ids = trained(4, writes_then_dies, tmp_path)
    assert len(executor.ran) == 1, "the records are the truth"
    assert result.failures == {}
    assert set(result.outcomes) == set(ids.values())


def test_an_executor_that_claims_success_without_records_is_not_believed(tmp_path: Path) -> None:
    result, _, ids = trained(2, lambda pack, root, time: Ended(pack), tmp_path)
    assert result.outcomes == {}
    assert result.failures == dict.fromkeys(ids.values(), f"its worker was gone without a record, {ATTEMPTS} times")


def test_a_half_written_summary_is_no_record(tmp_path: Path) -> None:
    def torn(pack: Pack, root: Path, time: int) -> Ended:
        if time > 1:
            return works(pack, root)
        for cell, text in zip(pack.cells, ('{"outcome": "fini', '{"outcome": "finished"}', "[]", ""), strict=True):
            paths = SweepPaths(root).cell(cell.id)
            paths.root.mkdir(parents=True)
            paths.summary.write_text(text)
        return Ended(pack, "ended with status 1")

    result, executor, _ = trained(4, torn, tmp_path)
    assert [len(pack.cells) for pack in executor.ran] == [4, 2, 2]
    assert len(result.outcomes) == 4


def test_an_executor_that_forgets_a_pack_leaves_its_cells_failed(tmp_path: Path) -> None:
    class Forgetful(Fake):
        def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
            return iter(())

    plan = plan_of(3)
    result = run(plan, SweepPaths(tmp_path), Forgetful(works), lambda event: None)
    assert set(result.failures) == {cell.id for cell in plan.cells}
    assert result.outcomes == {}


def test_what_another_sweep_did_since_the_plan_was_made_is_not_done_again(tmp_path: Path) -> None:
    plan = plan_of(6)
    for cell in plan.cells[:4]:
        finish(cell, tmp_path, "solved")
    executor = Fake(works)
    result = run(plan, SweepPaths(tmp_path), executor, lambda event: None)
    assert [[cell.settings.seed for cell in pack.cells] for pack in executor.ran] == [[4, 5]]
    assert list(result.outcomes.values()) == ["solved"] * 4 + ["finished"] * 2


def test_half_written_files_of_killed_workers_are_swept_away(tmp_path: Path) -> None:
    plan = plan_of(2)
    folder = SweepPaths(tmp_path).cell(plan.cells[0].id).root
    folder.mkdir(parents=True)
    (folder / ".metrics.csv.ab12.tmp").write_text("step,tra")
    (folder / "metrics.csv").write_text("whole\n")
    run(plan, SweepPaths(tmp_path), Fake(works), lambda event: None)
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.csv", "summary.json"]


def test_a_cell_whose_folder_cannot_be_written_fails_alone(tmp_path: Path) -> None:
    plan = plan_of(2)
    (tmp_path / plan.cells[0].id).write_text("a file where the folder should be")
    result = run(
        plan,
        SweepPaths(tmp_path),
        Fake(poisoned(0, lost=None, error="NotADirectoryError")),
        lambda event: None,
    )
    assert result.failures == {plan.cells[0].id: "NotADirectoryError"}
    assert set(result.outcomes) == {plan.cells[1].id}


def test_whatever_goes_wrong_it_ends_and_accounts_for_every_cell(tmp_path: Path) -> None:
    """Thirty sweeps with executors that lose, finish part of, and crash packs at random."""
    failed = done = 0
    for trial in range(30):
        rng = random.Random(trial)

        def chaos(pack: Pack, root: Path, time: int, rng: random.Random = rng) -> Ended:
            for cell in rng.sample(pack.cells, rng.randint(0, len(pack.cells) // 4)):
                finish(cell, root)
            return rng.choice([Ended(pack), Ended(pack, "killed by SIGSEGV"), Ended(pack, None, "Error: x")])

        root = tmp_path / str(trial)
        result, _, ids = trained(16, chaos, root)
        assert set(result.outcomes) | set(result.failures) == set(ids.values())
        assert not set(result.outcomes) & set(result.failures)
        for cell in ids.values():
            assert (finished(SweepPaths(root).cell(cell)) is not None) == (cell in result.outcomes)
            assert SweepPaths(root).cell(cell).failure.exists() == (cell in result.failures)
        failed, done = failed + len(result.failures), done + len(result.outcomes)
    assert min(failed, done) >= 30, "the chaos was too kind or too cruel to show anything"


def test_the_watcher_sees_every_event_in_order(tmp_path: Path) -> None:
    events: list[Message | Ended] = []
    run(plan_of(2), SweepPaths(tmp_path), Fake(works), events.append)
    assert [type(event) for event in events] == [Message, Ended]


def test_a_sweep_holds_its_folder(tmp_path: Path) -> None:
    sweep = SweepPaths(tmp_path / "runs" / "x")
    with (
        locked(sweep),
        pytest.raises(SweepsError, match=r"another sweep is writing to .*/runs/x; wait"),
        locked(sweep),
    ):
        pytest.fail("two sweeps in one folder")
    with locked(sweep):
        assert sweep.lock.exists()


def test_the_lock_ends_with_the_process_that_held_it(tmp_path: Path) -> None:
    import subprocess
    import sys
    import time

    code = (
        "import sys, time\nfrom pathlib import Path\nfrom sweeps.execute.harness import locked\n"
        "from sweeps.records.paths import SweepPaths\n"
        "with locked(SweepPaths(Path(sys.argv[1]))):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(SweepsError), locked(SweepPaths(tmp_path)):
            pass
        holder.kill()
        holder.wait()
    time.sleep(0.01)
    with locked(SweepPaths(tmp_path)):
        pass
