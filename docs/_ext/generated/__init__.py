"""What the reference has out of the code (options, commands, errors, algorithms), and how blocks are shown.

Each directive writes Markdown and lets MyST read it. What the code says nothing of is a warning, so that the build
fails: it runs with ``-W``.
"""

from typing import Any

from sphinx.application import Sphinx

from generated.algorithms import AlgorithmsDirective
from generated.commands import CommandDirective
from generated.errors import ErrorsDirective, add_facts
from generated.files import Files
from generated.options import Option, OptionsDirective
from generated.signatures import shorter


def setup(app: Sphinx) -> dict[str, Any]:
    """Register all of it with Sphinx."""
    app.add_directive("algorithms", AlgorithmsDirective)
    app.add_directive("command", CommandDirective)
    app.add_directive("errors", ErrorsDirective)
    app.add_directive("options", OptionsDirective)
    app.add_directive_to_domain("std", "confval", Option, override=True)
    app.add_transform(Files)
    app.connect("autodoc-process-docstring", add_facts)
    app.connect("autodoc-process-signature", shorter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
