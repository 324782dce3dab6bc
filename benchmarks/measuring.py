"""Measuring things beside each other, so that whatever disturbs the machine disturbs them alike."""

import gc
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

#: Seconds of one call, once for each round.
Times = list[float]


@dataclass(frozen=True)
class Comparison:
    """One line of the table: a median beside the median of its baseline, and what their ratio may be."""

    what: str
    ours: float
    baseline: float
    limit: float
    #: Seconds, which are to be few; or else a factor, which is to be large.
    seconds: bool = True

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline

    @property
    def kept(self) -> bool:
        return self.ratio <= self.limit if self.seconds else self.ratio >= self.limit


def compared(what: str, ours: Times, baseline: Times, limit: float) -> Comparison:
    """The comparison of two measurements that were made in one :func:`interleaved` run."""
    return Comparison(what, statistics.median(ours), statistics.median(baseline), limit)


def interleaved(
    candidates: Mapping[str, Callable[[], object]], *, rounds: int, calls: int = 1, warm_up: int = 3
) -> dict[str, Times]:
    """The times of the candidates, which take turns; which one begins a round, changes. Each one makes ``calls`` calls
    when it is called, and its time is that of one of them.
    """
    times: dict[str, Times] = {name: [] for name in candidates}
    order = list(candidates.items())
    with _undisturbed():
        for number in range(-warm_up, rounds):
            order.append(order.pop(0))
            for name, call in order:
                started = time.perf_counter()
                call()
                took = time.perf_counter() - started
                if number >= 0:
                    times[name].append(took / calls)
    return times


def in_threads(call: Callable[[], object], threads: int) -> Callable[[], None]:
    """Calls ``call`` in each of ``threads`` threads at once."""

    def all_of_them() -> None:
        workers = [threading.Thread(target=call) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return all_of_them


def process(command: Sequence[str], *, cwd: str | None = None) -> Callable[[], object]:
    """Runs a program to its end. It may keep its bytecode, as it does where it is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return partial(
        subprocess.run,
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
