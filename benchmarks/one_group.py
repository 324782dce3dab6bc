"""``python -m benchmarks.one_group GROUP FILE``: measure one group in a process of its own; the results go to the file.

A process of its own, as what one group leaves behind in memory would be felt by the next, and as some groups need an
environment with the peers, which others are not to be measured in: it makes each start of Python slower.
"""

import importlib
import json
import logging
import sys
from pathlib import Path

import attrs

from benchmarks.comparison import Comparison
from benchmarks.machine import versions
from benchmarks.report import line
from benchmarks.results import Group


def measured(name: str) -> Group:
    """What the group measures; each line is printed as soon as it is known."""
    module = importlib.import_module(f"benchmarks.{name}")
    comparisons: list[Comparison] = []
    notes: list[str] = []
    for each in module.comparisons():
        if isinstance(each, Comparison):
            comparisons.append(each)
            print(line(each), flush=True)
        else:
            notes.append(each)
            print(each, flush=True)
    return Group(tuple(comparisons), tuple(notes), versions(getattr(module, "DISTRIBUTIONS", ("cryptography",))))


if __name__ == "__main__":
    logging.disable()  # noop warns that it protects nothing
    Path(sys.argv[2]).write_text(json.dumps(attrs.asdict(measured(sys.argv[1]))))
