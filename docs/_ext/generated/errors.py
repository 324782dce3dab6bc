"""The errors, out of the docstrings of their classes: the meaning, and after "Remedy:" what to do."""

import inspect
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from signer_core import errors
from signer_core.errors import SignerError

_logger = logging.getLogger(__name__)

REMEDY = "Remedy:"


class ErrorsDirective(SphinxDirective):
    """``{errors}``: a table of all, then each one."""

    def run(self) -> list[nodes.Node]:
        """All errors, in the order of the module."""
        return self.parse_text_to_nodes(written(list(all_errors())))


def all_errors() -> Iterator[type[SignerError]]:
    """Every error of the module."""
    for each in vars(errors).values():
        if inspect.isclass(each) and issubclass(each, SignerError):
            yield each


def written(found: list[type[SignerError]]) -> str:
    """The errors as Markdown."""
    rows = [
        f"| {{py:exc}}`~signer_core.errors.{each.__name__}` | `{each.code}` | {'yes' if each.retryable else ''} |"
        for each in found
    ]
    described = "\n\n".join(
        f".. autoexception:: signer_core.errors.{each.__name__}\n   :show-inheritance:" for each in found
    )
    return "\n".join(["| error | code | retryable |", "|---|---|---|", *rows, "", f"```{{eval-rst}}\n{described}\n```"])


def add_facts(_: Sphinx, what: str, name: str, owner: Any, __: Any, lines: list[str]) -> None:
    """Give an error's docstring fields for its code, what to do, and whether it may go away."""
    if what != "exception" or not issubclass(owner, SignerError):
        return
    meaning, found, remedy = "\n".join(lines).partition(REMEDY)
    if not found and owner.__module__ == errors.__name__:
        _logger.warning("the docstring of %s says no remedy", name)
    fields = [f":Code: ``{owner.code}``", f":Retryable: {'yes' if owner.retryable else 'no'}"]
    if found:
        fields.insert(0, f":What to do: {' '.join(remedy.split())}")
    lines[:] = [*meaning.rstrip().split("\n"), "", *fields, ""]
