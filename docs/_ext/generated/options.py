"""The options of the core, of a backend or of an extension, out of the attrs class that declares them."""

import enum
import typing
from pathlib import Path
from typing import Any

import attrs
from docutils import nodes
from sphinx.addnodes import desc_content, desc_signature
from sphinx.domains.std import ConfigurationValue
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from signer_core.algorithms import Algorithm
from signer_core.core_options import CoreOptions
from signer_core.extension_plugin import load_extension
from signer_core.hookspecs import CONTRACT, Backend
from signer_core.options import budget, description, seconds
from signer_core.plugins import load_backend
from signer_core.secrets import Secret

_logger = logging.getLogger(__name__)

_DURATION = "[duration](#values)"
_TYPES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Path: "[path](#values)",
    Secret: "[secret](../how-to/configure.md#secrets)",
    Algorithm: "[algorithm](algorithms.md)",
    tuple[str, ...]: "list of texts",
    dict[str, str]: "table of texts",
}


class Option(ConfigurationValue):
    """An option, known as ``OWNER.OPTION`` and shown as ``OPTION``."""

    def handle_signature(self, sig: str, sig_node: desc_signature) -> str:
        """Show the name without its owner's."""
        super().handle_signature(sig.rpartition(".")[2], sig_node)
        return sig

    def transform_content(self, content_node: desc_content) -> None:
        """Let type and default be paragraphs, in which links may stand."""
        super().transform_content(content_node)
        for body in content_node.findall(nodes.field_body):
            body.children = [nodes.paragraph("", "", *body.children)]


class OptionsDirective(SphinxDirective):
    """``{options} core``, ``{options} backend NAME`` or ``{options} extension NAME``."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """All of them, in the order of the class; for a backend also its defaults of the core's."""
        kind, _, name = self.arguments[0].partition(" ")
        if kind == "core":
            return self._written("core", CoreOptions)
        if kind == "extension":
            return self._written(f"extensions.{name}", load_extension(name).extension.config_class)
        backend = load_backend(name).backend
        return [*self.parse_text_to_nodes(defaults(backend)), *self._written(name, backend.config_class)]

    def _written(self, owner: str, config_class: type[Any]) -> list[nodes.Node]:
        for field in attrs.fields(config_class):
            if not description(field):
                _logger.warning("the option %s.%s has no description", owner, field.name, location=self.get_location())
        return self.parse_text_to_nodes(options(owner, config_class))


def options(owner: str, config_class: type[Any]) -> str:
    """The options that ``config_class`` declares, as Markdown."""
    kinds = typing.get_type_hints(config_class)
    return "\n".join(
        f"```{{confval}} {owner}.{field.name}\n"
        f":type: {kind(field, kinds[field.name])}\n"
        f":default: {default(field, owner)}\n\n{sentence(description(field))}\n```\n"
        for field in attrs.fields(config_class)
    )


def defaults(backend: Backend) -> str:
    """What a backend makes of the core's options, where a configuration says nothing."""
    listed = ", ".join(f"`{name}` {value}" for name, value in backends_own(backend).items())
    return f"Of [the options of every backend](#of-every-backend), the defaults are here: {listed}.\n"


def backends_own(backend: Backend) -> dict[str, str]:
    """The options of the core that have each backend's own default."""
    return {
        "timeout": in_words(backend.default_timeout, is_duration=True),
        "attempt_timeout": in_words(backend.default_attempt_timeout, is_duration=True),
        "max_retries": in_words(backend.default_max_retries),
        "verify": in_words(backend.remote),
    }


def kind(field: "attrs.Attribute[Any]", annotation: Any) -> str:
    """What may be written, in a user's words."""
    plain = next(each for each in (*typing.get_args(annotation), annotation) if each is not type(None))
    wanted = plain if type(None) in typing.get_args(annotation) else annotation
    if is_duration(field):
        return _DURATION
    if wanted in _TYPES:
        return _TYPES[wanted]
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return " or ".join(f"`{member.value}`" for member in wanted)
    raise TypeError(f"no word for the type {annotation!r} of the option {field.name}")


def default(field: "attrs.Attribute[Any]", owner: str) -> str:
    """What holds where nothing is written."""
    if owner == "core" and field.name in backends_own(Backend(contract=CONTRACT, config_class=CoreOptions)):
        return "the backend's"
    if field.default is attrs.NOTHING:
        return "none; it is required"
    value: Any = field.default
    factory = getattr(value, "factory", None)
    return in_words(value if factory is None else factory(), is_duration=is_duration(field))


def is_duration(field: "attrs.Attribute[Any]") -> bool:
    """Whether an option is read as a duration."""
    converter: Any = field.converter
    return converter in (seconds, budget)


def in_words(value: object, *, is_duration: bool = False) -> str:
    """A value as a configuration has it."""
    if value is None or value in ("", (), {}):
        return "none"
    if is_duration and isinstance(value, float):
        return f"`{duration(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value.value if isinstance(value, enum.Enum) else value}`"


def duration(value: float) -> str:
    """A duration in the longest unit that fits it."""
    for size, unit in ((3600, "h"), (60, "m"), (1, "s")):
        if value and value % size == 0:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def sentence(text: str) -> str:
    """A description as a sentence."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""
