"""What the code does not describe fails the build of the site."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"

OPTION = """
import attrs
import generated.options
from signer_core.options import describe

@attrs.frozen
class CoreOptions:
    told: str = attrs.field(default="", metadata=describe("what is told"))
    shade: str = ""

generated.options.CoreOptions = CoreOptions
"""

ERROR = """
from signer_core import errors

class TornError(errors.SignerError):
    '''Something is torn.'''

TornError.__module__ = errors.__name__
errors.TornError = TornError
"""

COMMAND = """
import click
from signer_core.cli import show

show.command.params.append(click.Option(["--upside-down"]))
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """One of a page that has them all."""
    place = tmp_path_factory.mktemp("page")
    conf = (
        f"import sys\nsys.path.insert(0, {str(EXTENSIONS)!r})\n"
        "extensions = ['myst_parser', 'sphinx.ext.autodoc', 'generated']\n"
        "suppress_warnings = ['myst.xref_missing']\n"
    )
    (place / "conf.py").write_text(conf + OPTION + ERROR + COMMAND, encoding="utf-8")
    blocks = [f"```{{{each}\n```\n" for each in ("options} core", "errors}", "command} signer show")]
    (place / "index.md").write_text("\n".join(["# Reference\n", *blocks]), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "dummy", place, place / "out"],
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "warning",
    [
        pytest.param("the option core.shade has no description", id="option"),
        pytest.param("the docstring of signer_core.errors.TornError says no remedy", id="error"),
        pytest.param("signer show --upside-down has no help", id="flag"),
    ],
)
def test_what_is_not_described_is_a_warning(build: subprocess.CompletedProcess[str], warning: str) -> None:
    assert len([line for line in build.stderr.splitlines() if "WARNING: " in line and warning in line]) == 1


def test_such_a_warning_fails_the_build_and_there_is_no_other(build: subprocess.CompletedProcess[str]) -> None:
    assert build.returncode == 1
    assert build.stderr.count("WARNING: ") == 3
