"""The commented configuration file that ``signer init`` writes."""

import enum
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from signer_core.config_class import option_fields
from signer_core.errors import ConfigError
from signer_core.options import Conversion, description
from signer_core.plugins import load_backend
from signer_core.settings import CoreOptions, Settings

if TYPE_CHECKING:
    import attrs

_HEAD = """\
# Who may write this file chooses the key that signs.
# Relative paths start in this file's directory. Secrets are references: "file:PATH", "env:NAME" or "prompt".
"""


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
    heading = "signer" if settings.name is None else f"signers.{_text(settings.name)}"
    lines = [
        _HEAD,
        f"[{heading}]",
        f"backend = {_text(settings.backend)}",
        *_given(settings, {**own, **everyones}),
        *_comments("Other options of this backend", settings, own, {}),
        *_comments("Options that every backend has", settings, everyones, defaults),
    ]
    return "\n".join(lines) + "\n"


def _given(settings: Settings, fields: "dict[str, attrs.Attribute[Any]]") -> Iterator[str]:
    conversion = Conversion(settings.directory)
    for option, value in settings.arguments.items():
        plain = conversion.plain(value, fields[option].type if option in fields else object)
        # What is no text to the option is TOML already, as it was typed.
        yield f"{option} = {_text(plain) if isinstance(plain, str) else str(value).strip()}"


def _comments(
    title: str, settings: Settings, fields: "dict[str, attrs.Attribute[Any]]", defaults: dict[str, Any]
) -> Iterator[str]:
    others = {option: field for option, field in fields.items() if option not in settings.arguments}
    if others:
        yield f"\n# {title}, with what they are unless they are set:"
    for option, field in others.items():
        yield f"#\n# {option}: {description(field)}" if description(field) else "#"
        yield f"# {option} = {_value(defaults.get(option, field.default))}".rstrip()


def _value(default: object) -> str:
    """``default`` in TOML; nothing for one that is not a value, but says that the option is unset."""
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
    return ""


def _text(text: str) -> str:
    """A basic string of TOML 1.0: as in JSON, but for one control character that JSON leaves alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{text!r} cannot be written into a file in UTF-8", remedy="use names in UTF-8") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
