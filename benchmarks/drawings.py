"""What the charts show: taken from the results, and drawn by :mod:`benchmarks.charts`."""

import hashlib
from collections.abc import Callable

import attrs

from benchmarks.comparison import Comparison
from benchmarks.results import Results

Point = tuple[float, float]


@attrs.frozen
class Bars:
    """Horizontal bars, each of one or more parts behind one another."""

    title: str
    unit: str
    #: The names of the parts; none where there is but one.
    parts: tuple[str, ...]
    #: The name of each bar, and how long its parts are.
    bars: tuple[tuple[str, tuple[float, ...]], ...]


@attrs.frozen
class Lines:
    """Lines over logarithmic axes."""

    title: str
    x: str
    y: str
    lines: tuple[tuple[str, tuple[Point, ...]], ...]


@attrs.frozen
class Chart:
    """One picture."""

    name: str
    panels: tuple[Bars | Lines, ...]
    #: Where and with what it was measured.
    source: str

    @property
    def digest(self) -> str:
        """Of all that it shows: the picture has it in its metadata, so that one can see what it was drawn of."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def charts(results: Results) -> list[Chart]:
    """Those whose figures are there."""
    made: dict[str, tuple[str, Callable[[Results], tuple[Bars | Lines, ...]]]] = {
        "local-signing": ("signing", local_signing),
        "kms-callers": ("callers", kms_callers),
        "start-up": ("starting", start_up),
        "growth": ("growth", growth),
    }
    where = f"{results.machine['processor']}, {results.machine['cores']} cores, {results.machine['python']}"
    return [
        Chart(name, panels(results), f"{where}, {results.taken}")
        for name, (group, panels) in made.items()
        if group in results.groups
    ]


def of_chart(results: Results, group: str, chart: str) -> list[Comparison]:
    return [each for each in results.groups[group].comparisons if each.chart == chart]


def local_signing(results: Results) -> tuple[Bars, ...]:
    local = of_chart(results, "signing", "local")
    extensions = of_chart(results, "signing", "extensions")
    bars = [("cryptography itself", local[0].baseline), *((each.who, each.ours) for each in local)]
    more = [
        ("no extension", extensions[0].baseline),
        *((each.who.split(" beside")[0], each.ours) for each in extensions),
    ]
    return (
        Bars("One Ed25519 signature over 256 bytes", "µs", (), micro(bars)),
        Bars("With extensions that do nothing", "µs", (), micro(more)),
    )


def micro(bars: list[tuple[str, float]]) -> tuple[tuple[str, tuple[float, ...]], ...]:
    return tuple((name, (round(seconds * 1e6, 1),)) for name, seconds in bars)


def kms_callers(results: Results) -> tuple[Lines, ...]:
    points = of_chart(results, "callers", "TLS, 8 ms")
    names = dict.fromkeys(each.who for each in points)
    first = [each for each in points if each.who == points[0].who]
    rates = [("boto3", tuple((each.at or 0, each.baseline) for each in first))]
    worst = [("boto3", tuple((each.at or 0, 1e3 * (each.baseline_p99 or 0)) for each in first))]
    for name in names:
        own = [each for each in points if each.who == name]
        label = name.replace("ours", "signer-core")
        rates.append((label, tuple((each.at or 0, each.ours) for each in own)))
        worst.append((label, tuple((each.at or 0, 1e3 * (each.p99 or 0)) for each in own)))
    return (
        Lines("AWS KMS, TLS, 8 ms: signatures a second", "callers", "per second", tuple(rates)),
        Lines("The same: 99 of 100 are made within", "callers", "ms", tuple(worst)),
    )


def start_up(results: Results) -> tuple[Bars, ...]:
    """The imports that nobody can avoid, and what comes on top of them."""
    starts = [
        each for name in ("starting", "kms") if name in results.groups for each in of_chart(results, name, "start")
    ]
    bars = tuple(
        (each.who, (round(each.baseline * 1e3, 1), round(max(0.0, each.ours - each.baseline) * 1e3, 1)))
        for each in starts
    )
    parts = ("imports that nobody can avoid", "signer-core")
    return (Bars("From the start of a process to its end", "ms", parts, bars),)


def growth(results: Results) -> tuple[Lines, ...]:
    sizes = of_chart(results, "growth", "message size")
    raw = tuple((each.at or 0, each.baseline * 1e6) for each in sizes)
    ours = tuple((each.at or 0, each.ours * 1e6) for each in sizes)
    memory = tuple(
        (backend, tuple((each.at or 0, each.ours) for each in of_chart(results, "growth", backend)))
        for backend in ("awskms", "file")
    )
    return (
        Lines("A local signature", "bytes of message", "µs", (("cryptography itself", raw), ("Signer.sign", ours))),
        Lines("Memory of a process", "signers", "MB", memory),
    )
