"""The figures in the documents: every block between ``<!-- figures: NAME -->`` and ``<!-- end of figures -->`` is made
of the results, and nothing else on the page states a measured figure.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.comparison import Comparison, amount, duration
from benchmarks.results import Group, Results

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "performance.md"
BLOCK = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def write_page(results: Results, page: Path = PAGE) -> None:
    """Make the blocks of the page anew."""
    page.write_text(with_figures(page.read_text("utf-8"), results), "utf-8")


def with_figures(text: str, results: Results) -> str:
    """The page with the figures of these results."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{figures(block[2], results)}\n\n{block[3]}", text)


def figures(name: str, results: Results) -> str:
    """What stands in the block of that name: a group, or one of :data:`SPECIAL`."""
    if name in SPECIAL:
        return SPECIAL[name](results)
    group = results.groups[name]
    return "\n\n".join([table(group.comparisons), *(f"```text\n{note}\n```" for note in group.notes), with_(group)])


def table(comparisons: Sequence[Comparison]) -> str:
    rows = [
        (
            each.what.strip(),
            amount(each.ours, each.unit),
            "" if each.p99 is None else duration(each.p99),
            amount(each.baseline, each.unit),
            "" if each.baseline_p99 is None else duration(each.baseline_p99),
            f"{each.ratio:.3f}",
            each.asked if each.kept else f"**{each.asked}: not kept**",
        )
        for each in comparisons
    ]
    return markdown(("", "it", "p99", "beside", "p99", "ratio", "limit"), rows)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_(group: Group) -> str:
    return "With " + ", ".join(f"{name} {version}" for name, version in group.versions.items()) + "."


def machine(results: Results) -> str:
    facts = results.machine
    return (
        f"Measured on {results.taken}: {facts['processor']}, {facts['cores']} cores, {facts['system']}, "
        f"{facts['python']}."
    )


def kept(results: Results) -> str:
    behind = results.not_kept()
    if not behind:
        return f"All {results.limits()} limits are kept."
    names = "; ".join(f"{group}: {each.what.strip()} ({each.ratio:.2f}, {each.asked})" for group, each in behind)
    return f"Of {results.limits()} limits, {len(behind)} are not kept in this run: {names}."


def callers(results: Results) -> str:
    """A row for each number of callers, with a column for each candidate."""
    group = results.groups["callers"]
    points = [each for each in group.comparisons if each.at is not None]
    names = list(dict.fromkeys(each.who for each in points))
    rows = []
    for chart, at in dict.fromkeys((each.chart, each.at) for each in points):
        here = {each.who: each for each in points if (each.chart, each.at) == (chart, at)}
        beside = next(iter(here.values()))
        cells = [cell(beside.baseline, beside.baseline_p99), *(cell(here[who].ours, here[who].p99) for who in names)]
        rows.append((f"{chart}, {at:g}", *cells))
    limited = [each for each in group.comparisons if each.limit is not None]
    heads = ("connection, answer after, callers", "boto3", *names)
    return "\n\n".join([markdown(heads, rows), table(limited), with_(group)])


def cell(rate: float, p99: float | None) -> str:
    return amount(rate, "/s") + ("" if p99 is None else f"<br>{duration(p99)}")


SPECIAL: dict[str, Callable[[Results], str]] = {"machine": machine, "kept": kept, "callers": callers}
