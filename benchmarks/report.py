"""What is printed: a table while the suite measures, and a summary in which nothing that falls behind is overlooked."""

import click

from benchmarks.comparison import Comparison, amount, duration
from benchmarks.results import Group, Results

COLUMNS = "  {:44} {:>10} {:>9} {:>10} {:>9} {:>7} {:>7}  {}"
HEAD = COLUMNS.format("", "it", "p99", "beside", "p99", "ratio", "limit", "")


def title(name: str) -> str:
    return click.style(f"\n{name}", bold=True)


def line(each: Comparison) -> str:
    text = COLUMNS.format(
        each.what,
        amount(each.ours, each.unit),
        "" if each.p99 is None else duration(each.p99),
        amount(each.baseline, each.unit),
        "" if each.baseline_p99 is None else duration(each.baseline_p99),
        f"{each.ratio:.3f}",
        each.asked,
        each.verdict,
    ).rstrip()
    return text if each.kept else click.style(text, fg="red", bold=True)


def table(name: str, group: Group) -> str:
    """A group that was measured before."""
    return "\n".join([title(name), HEAD, *(line(each) for each in group.comparisons), *group.notes])


def summary(results: Results) -> str:
    """How many limits are kept; and each that is not, in a line of its own."""
    behind = results.not_kept()
    if not behind:
        return click.style(f"All {results.limits()} limits are kept.", fg="green", bold=True)
    lines = [f"NOT KEPT: {len(behind)} of {results.limits()} limits"]
    lines += [f"  NOT KEPT  {name}: {each.what.strip()}: {each.ratio:.3f}, and {each.asked}" for name, each in behind]
    return "\n".join(click.style(each, fg="red", bold=True) for each in lines)
