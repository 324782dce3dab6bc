"""What the code does not describe fails the build of the site."""

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


@pytest.mark.parametrize(
    ("change", "page", "warning"),
    [
        pytest.param(OPTION, "options} core", "the option core.shade has no description", id="option"),
        pytest.param(ERROR, "errors}", "the docstring of signer_core.errors.TornError says no remedy", id="error"),
        pytest.param(COMMAND, "command} signer show", "signer show --upside-down has no help", id="flag"),
    ],
)
def test_what_is_not_described_fails_the_build(tmp_path: Path, change: str, page: str, warning: str) -> None:
    conf = (
        f"import sys\nsys.path.insert(0, {str(EXTENSIONS)!r})\n"
        "extensions = ['myst_parser', 'sphinx.ext.autodoc', 'generated']\n"
        "suppress_warnings = ['myst.xref_missing']\n"
    )
    (tmp_path / "conf.py").write_text(conf + change, encoding="utf-8")
    (tmp_path / "index.md").write_text(f"# Reference\n\n```{{{page}\n```\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "dummy", tmp_path, tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert warning in done.stderr
