"""Programs that the tests compare with: what needs one that is not installed is left out, and said so.

A test that runs such a program is marked with ``@pytest.mark.peer("openssl")``; a ``console`` block of the documents
needs those that its commands begin with. Where ``CI`` is set, nothing is left out: a missing program is an error.
"""

import os
import re
import shutil
from collections import Counter

import pytest

#: Each program, and the package of Debian and Ubuntu that brings it.
PACKAGES = {
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "openssl": "openssl",
    "git": "git",
    "ssh": "openssh-client",
    "ssh-add": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
}

#: The programs that some command of a ``console`` block begins with.
_COMMANDS = re.compile(rf"^\$ (?:.*[|;&] *)?({'|'.join(PACKAGES)}) ", re.MULTILINE)

_left_out = pytest.StashKey[Counter[str]]()


def which(program: str) -> str | None:
    """The path of a program, be it one that is not for everybody's path, as sshd."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


def peers(item: pytest.Item) -> set[str]:
    """The programs that a test or an example of a document runs."""
    marked = {name for mark in item.iter_markers("peer") for name in mark.args}
    if marked - PACKAGES.keys():
        raise pytest.UsageError(f"{item.nodeid}: tests/peers.py does not say what brings {marked - PACKAGES.keys()}")
    example = getattr(item, "example", None)  # of Sybil's items
    return marked | set(_COMMANDS.findall(str(example.parsed)) if example is not None else ())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = {name for name in PACKAGES if which(name) is None}
    needed = {item: peers(item) & missing for item in items}
    config.stash[_left_out] = Counter(name for names in needed.values() for name in names)
    deselected = [item for item in items if needed[item]]
    if deselected and os.environ.get("CI"):
        raise pytest.UsageError("\n".join(_lines(config, "would be left out")))
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if not needed[item]]


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    return _lines(config, "are left out")


def _lines(config: pytest.Config, what_happens: str) -> list[str]:
    return [
        f"{name} is not installed: {count} test(s) against it {what_happens}; apt-get install {PACKAGES[name]}"
        for name, count in sorted(config.stash.get(_left_out, Counter()).items())  # none where the collection failed
    ]
