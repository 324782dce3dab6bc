"""The commented configuration file that ``signer init`` writes."""

import enum
import json
import os
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer_core.config_class import option_fields
from signer_core.core_options import CoreOptions
from signer_core.distributions import distribution_of
from signer_core.errors import ConfigError
from signer_core.options import Conversion, budget, description, seconds
from signer_core.plugins import load_backend
from signer_core.secrets import Secret
from signer_core.settings import Settings

if TYPE_CHECKING:
    import attrs

_HEAD = """\
# Who may write this file chooses the key that signs.
# Relative paths start in this file's directory. Secrets are references: "file:PATH", "env:NAME" or "prompt".
"""

#: A value of each type that an option may have.
_EXAMPLES: dict[Any, object] = {
    str: "...",
    Path: "PATH",
    Secret: "file:PATH",
    bool: True,
    int: 1,
    float: 1.0,
    tuple[str, ...]: ("...",),
    dict[str, str]: {"name": "..."},
}


def template(settings: Settings) -> str:
    """``settings`` as a file: what is set, then every other option in a comment, with its meaning and its default.

    Nothing is written that would not be read again: the options are converted first. Raises
    :class:`~signer_core.errors.ConfigError`.
    """
    core = settings.core_options()
    plugin = load_backend(settings.backend, trusted=core.trusted)
    settings.backend_config(plugin.backend.config_class)
    own = option_fields(plugin.backend.config_class)
    everyones = option_fields(CoreOptions)
    defaults = {
        "timeout": plugin.backend.default_timeout,
        "attempt_timeout": plugin.backend.default_attempt_timeout,
        "max_retries": plugin.backend.default_max_retries,
        "verify": plugin.backend.remote,
    }
    examples: dict[str, tuple[object, str]] = {
        "timeout": ("10s", "no limit"),
        "attempt_timeout": ("3s", "no limit but that of the call"),
        "expected_address": ("00" * 32, "any key will do"),
        "expected_public_key": ("00" * 32, "any key will do"),
        "trusted": (distribution_of(plugin.entry_point).name, "any may"),
    }
    heading = "signer" if settings.name is None else f"signers.{_text(settings.name)}"
    lines = [
        _HEAD,
        f"[{heading}]",
        f"backend = {_text(settings.backend)}",
        *_given(settings, {**own, **everyones}),
        *_comments("Other options of this backend", settings, own, {}, {}),
        *_comments("Options that every backend has", settings, everyones, defaults, examples),
    ]
    return "\n".join(lines) + "\n"


def _given(settings: Settings, fields: "dict[str, attrs.Attribute[Any]]") -> Iterator[str]:
    conversion = Conversion(settings.directory)
    for option, value in settings.arguments.items():
        plain = conversion.plain(value, fields[option].type if option in fields else object)
        # What is no text to the option is TOML already, as it was typed.
        yield f"{option} = {_text(plain) if isinstance(plain, str) else str(value).strip()}"


def _comments(
    title: str,
    settings: Settings,
    fields: "dict[str, attrs.Attribute[Any]]",
    defaults: Mapping[str, object],
    examples: Mapping[str, tuple[object, str]],
) -> Iterator[str]:
    """Each option that is not set, with its default; where that is no value, an example, and what leaving it out means.

    ``defaults`` go before those of the fields; ``examples`` have their meanings.
    """
    others = {option: field for option, field in fields.items() if option not in settings.arguments}
    if others:
        yield f"\n# {title}, each with its default, or with an example where it says what leaving it out means:"
    for option, field in others.items():
        about, value = description(field) or "", _value(_made(defaults.get(option, field.default)))
        if not value:
            example, meaning = examples.get(option) or (_example(field), "not set")
            about, value = f"{about}; left out: {meaning}".removeprefix("; "), _value(example)
        yield f"#\n# {option}: {about}" if about else "#"
        yield f"# {option} = {value}"


def _made(default: object) -> object:
    """What a factory makes; None for one that looks at other options."""
    import attrs

    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return None if default.takes_self else default.factory()  # type: ignore[attr-defined]
    return default


def _example(field: "attrs.Attribute[Any]") -> object:
    """A value of the option's type."""
    converter: Any = field.converter
    if converter in (seconds, budget):
        return "10s"
    choices = [each for each in typing.get_args(field.type) if each is not type(None)]
    wanted: Any = choices[0] if type(None) in typing.get_args(field.type) else field.type
    return next(iter(wanted)) if isinstance(wanted, enum.EnumType) else _EXAMPLES[wanted]


def _value(default: object) -> str:
    """``default`` in TOML; nothing for what is no value, but says that the option is unset."""
    match default:
        case enum.Enum():
            return _value(default.value)
        case bool():
            return str(default).lower()
        case str() | os.PathLike():
            return _text(os.fspath(default))
        case int() | float():
            return str(default)
        case tuple():
            return f"[{', '.join(map(_value, default))}]"
        case dict():
            return f"{{{', '.join(f'{_text(name)} = {_value(value)}' for name, value in default.items())}}}"
    return ""


def _text(text: str) -> str:
    """A basic string of TOML 1.0: as in JSON, but for one control character that JSON leaves alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{text!r} cannot be written into a file in UTF-8", remedy="use names in UTF-8") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
