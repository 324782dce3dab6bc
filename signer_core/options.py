"""What an option of a configuration class may be, and how it is read from what a file or a shell gives."""

import enum
import functools
import math
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from signer_core.errors import PluginContractError
from signer_core.paths import absolute
from signer_core.secrets import Secret

_DESCRIPTION = "signer_core.description"
_DURATION = r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?"
_DURATION_FORMS = 'seconds, or a text like "250ms", "10s", "1m30s" or "1h"'


def describe(text: str) -> dict[str, str]:
    """The metadata of a field: what the reference and ``signer check`` print beside the option."""
    return {_DESCRIPTION: text}


def description(field: "attrs.Attribute[Any]") -> str:
    """What :func:`describe` said of the field."""
    text: str = field.metadata.get(_DESCRIPTION, "")
    return text


def seconds(value: float | str) -> float:
    """A duration in seconds out of a number or a text like "1m30s". A converter for fields; raises ValueError."""
    if isinstance(value, str):
        parts = re.fullmatch(_DURATION, value, re.ASCII)
        if parts is None or not any(parts.groups()):
            raise ValueError(f"write {_DURATION_FORMS}")
        hours, minutes, whole, milli = (float(part or 0) for part in parts.groups())
        return hours * 3600 + minutes * 60 + whole + milli / 1000
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0 or _is_beyond_float(value):
        raise ValueError(f"write {_DURATION_FORMS}")
    return float(value)


def budget(value: float | str | None) -> float | None:
    """Like :func:`seconds`, for a time that must be above 0; None stays None."""
    if value is None:
        return None
    if (duration := seconds(value)) <= 0:
        raise ValueError("it must be longer than 0")
    return duration


class ShellText(str):
    """An option's value out of an environment variable or ``--set``: TOML where that fits the option, else text."""

    __slots__ = ()

    def as_toml(self) -> Any:
        """The value that it is in TOML, or the text itself where it is no TOML."""
        import tomllib

        try:
            parsed = tomllib.loads(f"value = {self}")
        except (ValueError, RecursionError):  # no TOML, a number of thousands of digits, thousands of brackets
            return str(self)
        return parsed["value"] if parsed.keys() == {"value"} else str(self)

    def as_text(self) -> str:
        """The text, without quotation marks if it is a TOML string."""
        return value if isinstance(value := self.as_toml(), str) else str(self)


class Conversion:
    """Turns what was configured into what a field's annotation asks for; raises ValueError that says what is right,
    and :class:`PluginContractError` for an annotation that no option may have.

    ``directory`` is where relative paths start; ``prompt`` asks for a secret that is written as "prompt", by the name
    of its ``option``.
    """

    __slots__ = ("directory", "option", "prompt")

    def __init__(
        self, directory: Path, prompt: Callable[[str], bytes] | None = None, *, option: str = "secret"
    ) -> None:
        self.directory = directory
        self.prompt = prompt
        self.option = option

    def for_option(self, name: str) -> "Conversion":
        """The conversion of what was configured for the option ``name``."""
        return Conversion(self.directory, self.prompt, option=name)

    def convert(self, value: object, wanted: Any) -> Any:
        """``value`` as an instance of ``wanted``: an annotation out of the list in :mod:`signer_core.hookspecs`."""
        convert = converter_for(wanted)
        wanted, optional = _without_none(wanted)
        if value is None and optional:
            return None
        return convert(self.plain(value, wanted), wanted, self)

    def plain(self, value: object, wanted: Any) -> object:
        """``value``; out of a shell's text the text or the TOML value, whichever ``wanted`` is written as."""
        if not isinstance(value, ShellText):
            return value
        wanted, _ = _without_none(wanted)
        if _is_enum(wanted):
            return value.as_text() if any(value.as_text() == each.value for each in wanted) else value.as_toml()
        return value.as_text() if wanted in (str, Path, Secret) else value.as_toml()


def converter_for(wanted: Any) -> Callable[[object, Any, Conversion], Any]:
    """What converts to the annotation ``wanted``. Raises :class:`PluginContractError` if no option may have it."""
    plain, _ = _without_none(wanted)
    convert = _enum if _is_enum(plain) else _BY_TYPE.get((typing.get_origin(plain) or plain, typing.get_args(plain)))
    if convert is None:
        raise PluginContractError(f"an option cannot be of type {wanted!r}", remedy="see signer_core.hookspecs")
    return convert


def holds(wanted: Any, kind: type[Any]) -> bool:
    """Whether ``wanted`` is ``kind`` or ``kind | None``."""
    plain, _ = _without_none(wanted)
    return plain is kind


def _without_none(wanted: Any) -> tuple[Any, bool]:
    """The ``X`` of ``X | None``, and whether None was allowed."""
    if typing.get_origin(wanted) not in (typing.Union, types.UnionType):
        return wanted, False
    choices = [each for each in typing.get_args(wanted) if each is not type(None)]
    return (choices[0], True) if len(choices) == 1 else (wanted, False)


def _is_enum(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, enum.Enum)


def _str(value: object, _: Any, __: Conversion) -> str:
    if not isinstance(value, str):
        raise ValueError("write a text")
    return value


def _int(value: object, _: Any, __: Conversion) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("write a whole number")
    return value


def _float(value: object, _: Any, __: Conversion) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or _is_beyond_float(value) or math.isnan(value):
        raise ValueError("write a number")
    return float(value)


def _is_beyond_float(value: float) -> bool:
    return isinstance(value, int) and abs(value) > sys.float_info.max


def _bool(value: object, _: Any, __: Conversion) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


def _path(value: object, _: Any, conversion: Conversion) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError("write a path, not empty and without a NUL")
    return absolute(value, conversion.directory)


def _secret(value: object, _: Any, conversion: Conversion) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        prompt = None if conversion.prompt is None else functools.partial(conversion.prompt, conversion.option)
        return Secret.from_reference(value, directory=conversion.directory, prompt=prompt)
    if callable(value):
        return Secret(value)
    raise ValueError('write "file:PATH", "env:NAME" or "prompt"; in code also Secret(b"…") or a callable')


def _enum(value: object, wanted: type[enum.Enum], _: Conversion) -> enum.Enum:
    for member in wanted:
        if value is member or (value == member.value and isinstance(value, bool) == isinstance(member.value, bool)):
            return member
    raise ValueError(f"write one of: {', '.join(str(member.value) for member in wanted)}")


def _tuple(value: object, _: Any, __: Conversion) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError("write a list of texts")
    return tuple(value)


def _dict(value: object, _: Any, __: Conversion) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise ValueError("write a table of texts")
    return dict(value)


_BY_TYPE: Mapping[Any, Callable[[object, Any, Conversion], Any]] = {
    (str, ()): _str,
    (int, ()): _int,
    (float, ()): _float,
    (bool, ()): _bool,
    (Path, ()): _path,
    (Secret, ()): _secret,
    (tuple, (str, ...)): _tuple,
    (dict, (str, str)): _dict,
}
