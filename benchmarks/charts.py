"""``python -m benchmarks.charts RESULTS DIRECTORY``: draw the charts; the same ones for the same results."""

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.comparison import significant, whole
from benchmarks.drawings import Bars, Chart, Lines, charts
from benchmarks.results import Results

#: Told apart by people who see few colours (Okabe and Ito); ours is always the same.
OURS, OTHERS = "#0072b2", ("#8c8c8c", "#e69f00", "#cc79a7", "#009e73")
INK, GRID = "#24292f", "#d0d7de"
MARKERS = "osD^v"
STYLE = {
    "svg.hashsalt": "signer-core",
    "svg.fonttype": "path",  # the same wherever it is shown
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
}


def draw(chart: Chart, path: Path) -> None:
    """A white card, which can be read on dark pages, too."""
    with mpl.rc_context(STYLE):
        height = max(0.8 + 0.36 * len(panel.bars) if isinstance(panel, Bars) else 3.4 for panel in chart.panels)
        figure = Figure(figsize=(9.2, height + 0.7), layout="constrained", facecolor="white")
        for axes, panel in zip(figure.subplots(1, len(chart.panels), squeeze=False)[0], chart.panels, strict=True):
            axes.set_title(panel.title, loc="left")
            axes.spines[["top", "right"]].set_visible(False)
            if isinstance(panel, Bars):
                bars(axes, panel)
            else:
                lines(axes, panel)
        figure.supxlabel(chart.source, fontsize=7, color="#57606a", x=0.99, ha="right")
        facts = {"Date": None, "Creator": None, "Description": chart.digest}
        figure.savefig(path, metadata=facts if path.suffix == ".svg" else None)


def bars(axes: Any, panel: Bars) -> None:
    names = [name for name, _ in panel.bars]
    rows = range(len(names))
    begin = [0.0] * len(names)
    for number in range(len(panel.bars[0][1])):
        lengths = [parts[number] for _, parts in panel.bars]
        if panel.parts:
            colours: Any = OURS if number else OTHERS[0]
        else:
            colours = [
                OTHERS[0] if name in ("cryptography itself", "no extension") else colour_of(name) for name in names
            ]
        axes.barh(rows, lengths, left=begin, color=colours, height=0.62, label=(panel.parts or [None])[number])
        begin = [so_far + length for so_far, length in zip(begin, lengths, strict=True)]
    for row, length in enumerate(begin):
        axes.annotate(
            f"{significant(length)} {panel.unit}", (length, row), xytext=(4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set_xlim(0, max(begin) * 1.22)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    if panel.parts:
        axes.legend(frameon=False, loc="upper right")


def lines(axes: Any, panel: Lines) -> None:
    others = iter(OTHERS)
    for marker, (name, points) in zip(MARKERS, panel.lines, strict=False):
        mine = name.startswith(("signer-core", "Signer", "awskms"))
        colour = OURS if mine else next(others)
        axes.plot(
            *zip(*points, strict=True),
            marker=marker,
            markersize=4.5,
            color=colour,
            linestyle="--" if mine and "," in name else "-",
            linewidth=2 if mine else 1.4,
            label=name,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    points_on_x = sorted({x for _, points in panel.lines for x, _ in points})
    axes.set_xticks(points_on_x, [short(x) for x in points_on_x])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: whole(value)))
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    axes.grid(visible=True, color=GRID, linewidth=0.6)
    axes.legend(frameon=False, fontsize=8)


def colour_of(name: str) -> str:
    return OTHERS[1] if "securesystemslib" in name or "PyNaCl" in name else OURS


def short(number: float) -> str:
    for size, letter in ((1024 * 1024, "Mi"), (1024, "Ki")):
        if number >= size and number % size == 0:
            return f"{number / size:g} {letter}"
    return whole(number)


def main(source: str, directory: str, suffix: str = "svg") -> None:
    Path(directory).mkdir(parents=True, exist_ok=True)
    for chart in charts(Results.read(Path(source))):
        draw(chart, Path(directory, f"{chart.name}.{suffix}"))


if __name__ == "__main__":
    main(*sys.argv[1:])
