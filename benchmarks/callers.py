"""Many callers at once at AWS KMS: signatures a second, and the time in which 99 of 100 are made."""

import statistics
from collections.abc import Iterator

from benchmarks.kms_candidates import Load, candidates
from benchmarks.kms_server import certificate, stand_in
from benchmarks.measuring import Comparison, p99, shortened, undisturbed

DISTRIBUTIONS = ("boto3", "aiobotocore", "securesystemslib", "cryptography")
#: How many, and the seconds of each load: long enough that each of them signs several times.
CALLERS = {1: 0.3, 8: 0.3, 64: 0.8}
DELAY = 0.008  # seconds until KMS answers
ROUNDS = 3


def comparisons() -> Iterator[Comparison]:
    with certificate() as path:
        for tls in (None, path):
            for delay in (0, DELAY):
                where = f"{'TLS' if tls else 'plain'}, {delay * 1000:g} ms"
                with stand_in(delay, tls) as url, candidates(url, max(CALLERS)) as loads:
                    for callers in CALLERS:
                        yield from beside_each_other(where, callers, loads)


def beside_each_other(where: str, callers: int, loads: dict[str, Load]) -> Iterator[Comparison]:
    rates: dict[str, list[float]] = {name: [] for name in loads}
    worst: dict[str, list[float]] = {name: [] for name in loads}
    order = list(loads.items())
    with undisturbed():
        for number in range(-1, shortened(ROUNDS, least=1)):
            order.append(order.pop(0))
            for name, load in order:
                times = load(callers, CALLERS[callers] / (1 if number >= 0 else 3))  # the first round connects
                if number >= 0:
                    rates[name].append(callers / statistics.fmean(times))  # as each of them always has a call under way
                    worst[name].append(p99(times))
    raw, raw_worst = statistics.median(rates["boto3"]), statistics.median(worst["boto3"])
    for name in loads:
        if name == "boto3":
            continue
        limited = name == "ours" and callers == max(CALLERS) and where.endswith(f", {DELAY * 1000:g} ms")
        what = f"{where}, {callers} caller{'s' if callers > 1 else ''}: {name}"
        own, own_worst = statistics.median(rates[name]), statistics.median(worst[name])
        yield Comparison(
            what,
            own,
            raw,
            3.0 if limited else None,
            unit="/s",
            p99=own_worst,
            baseline_p99=raw_worst,
            who=name,
            chart=where,
            at=callers,
        )
        if limited:
            yield Comparison(f"{what}, p99", own_worst, raw_worst, 0.35)
