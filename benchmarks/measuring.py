"""Measuring things beside each other, so that whatever disturbs the machine disturbs them alike."""

import gc
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from benchmarks.comparison import Comparison, compared, p99

__all__ = ["Comparison", "Times", "compared", "in_threads", "interleaved", "p99", "process", "shortened"]

#: Seconds of one call, once for each round.
Times = list[float]

#: Set for a run that only shows whether everything works: a twentieth of the rounds.
QUICK = "BENCHMARKS_QUICK"


def shortened(number: int, *, least: int = 3) -> int:
    """How many rounds to make where ``number`` make a measurement: fewer in a quick run."""
    return max(least, number // 20) if os.environ.get(QUICK) else number


def interleaved(
    candidates: Mapping[str, Callable[[], object]], *, rounds: int, calls: int = 1, warm_up: int = 3
) -> dict[str, Times]:
    """The times of the candidates, which take turns; which one begins a round, changes. Each one makes ``calls`` calls
    when it is called, and its time is that of one of them.
    """
    times: dict[str, Times] = {name: [] for name in candidates}
    order = list(candidates.items())
    with undisturbed():
        for number in range(-warm_up, shortened(rounds)):
            order.append(order.pop(0))
            for name, call in order:
                started = time.perf_counter()
                call()
                took = time.perf_counter() - started
                if number >= 0:
                    times[name].append(took / calls)
    return times


def in_a_row(call: Callable[[], object], calls: int) -> Callable[[], None]:
    """Makes so many calls as a program does: in a loop of its own."""

    def in_a_loop() -> None:
        for _ in range(calls):
            call()

    return in_a_loop


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


def medians(times: Mapping[str, Times]) -> dict[str, float]:
    """The median of each candidate."""
    return {name: statistics.median(own) for name, own in times.items()}


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without the collection of garbage, which would come to whoever is at work just then."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
