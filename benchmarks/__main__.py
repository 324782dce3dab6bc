"""``python -m benchmarks [GROUP]``: measure, print a table, and exit with 1 if a limit is not kept."""

import argparse
import importlib
import logging
import platform
import sys
from importlib.metadata import version

from benchmarks.measuring import Comparison

GROUPS = ("signing", "starting", "opening", "kms")
COLUMNS = "{:26} {:>12} {:>12} {:>8} {:>8}  {}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure ours beside its baseline.")
    parser.add_argument("group", nargs="?", choices=GROUPS, help="one group only")
    asked = parser.parse_args().group
    logging.disable()  # noop warns that it protects nothing
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"cryptography {version('cryptography')}\n"
    )
    print(COLUMNS.format("", "ours", "baseline", "ratio", "limit", ""))
    kept = True
    for group in GROUPS if asked is None else (asked,):
        for comparison in importlib.import_module(f"benchmarks.{group}").comparisons():
            kept &= comparison.kept
            print(line(comparison), flush=True)
    return 0 if kept else 1


def line(comparison: Comparison) -> str:
    form = duration if comparison.seconds else "{:.2f} ×".format
    return COLUMNS.format(
        comparison.what,
        form(comparison.ours),
        form(comparison.baseline),
        f"{comparison.ratio:.3f}",
        f"{'≤' if comparison.seconds else '≥'} {comparison.limit:g}",
        "kept" if comparison.kept else "NOT KEPT",
    )


def duration(seconds: float) -> str:
    return f"{seconds * 1e6:.2f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
