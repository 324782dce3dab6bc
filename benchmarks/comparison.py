"""One line of the results: a figure beside its baseline, and what their ratio may be."""

import statistics
from collections.abc import Callable, Sequence

import attrs


@attrs.frozen
class Comparison:
    """A median beside the median of its baseline. ``what`` is unlike all others of its group."""

    what: str
    ours: float
    baseline: float
    #: What the ratio of the two may be: at most, or at least where much is good. None is for information.
    limit: float | None
    #: Seconds, which are to be few; or else, with no other ``unit``, a factor, which is to be large.
    seconds: bool = True
    #: "/s" is to be large; "B", "KB", "MB" and "calls" are to be few.
    unit: str = attrs.field(default=attrs.Factory(lambda self: "s" if self.seconds else "×", takes_self=True))
    #: In seconds; None where single calls were not timed.
    p99: float | None = None
    baseline_p99: float | None = None
    #: Who is measured, in which chart, and at which of its points.
    who: str = "ours"
    chart: str = ""
    at: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline if self.baseline else float(self.ours > 0)

    @property
    def many_are_good(self) -> bool:
        return self.unit in ("×", "/s")

    @property
    def kept(self) -> bool:
        if self.limit is None:
            return True
        return self.ratio >= self.limit if self.many_are_good else self.ratio <= self.limit

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        return "kept" if self.kept else "NOT KEPT"

    @property
    def asked(self) -> str:
        """The limit, as it is written."""
        if self.limit is None:
            return ""
        return f"{'≥' if self.many_are_good else '≤'} {self.limit:g}"


def compared(
    what: str,
    ours: Sequence[float],
    baseline: Sequence[float],
    limit: float | None,
    *,
    who: str = "ours",
    chart: str = "",
    at: float | None = None,
) -> Comparison:
    """The comparison of two measurements that were made in one :func:`~benchmarks.measuring.interleaved` run."""
    return Comparison(
        what,
        statistics.median(ours),
        statistics.median(baseline),
        limit,
        p99=p99(ours),
        baseline_p99=p99(baseline),
        who=who,
        chart=chart,
        at=at,
    )


def p99(times: Sequence[float]) -> float:
    """What 99 of 100 do not exceed."""
    return statistics.quantiles(times, n=100, method="inclusive")[98] if len(times) > 1 else times[0]


def amount(value: float, unit: str) -> str:
    """A figure with its unit, in three digits or so."""
    return FORMS[unit](value)


def duration(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{significant(seconds * 1e6)} µs"
    return f"{significant(seconds * 1e3)} ms" if seconds < 1 else f"{significant(seconds)} s"


def significant(value: float) -> str:
    """Three digits, and all of those before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def whole(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ") if value == round(value) else significant(value)


FORMS: dict[str, Callable[[float], str]] = {
    "s": duration,
    "×": lambda value: f"{value:.2f} ×",
    "/s": lambda value: f"{significant(value)} /s",
    "B": lambda value: f"{whole(value)} B",
    "KB": lambda value: f"{significant(value)} KB",
    "MB": lambda value: f"{significant(value)} MB",
    "calls": whole,
    "": whole,
}
