"""From the options that were given to an instance of the attrs class that declares them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from signer_core.errors import ConfigError, PluginContractError, SignerError
from signer_core.options import Conversion, converter_for, description, holds
from signer_core.secrets import Secret

#: What a converter or a validator raises that was given something unsuitable.
_UNSUITABLE = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError)

T = TypeVar("T")


def option_fields(config_class: type[Any]) -> "dict[str, attrs.Attribute[Any]]":
    """The options of a configuration class, with the types that their annotations mean."""
    try:
        resolved = attrs.resolve_types(config_class)
        fields = {field.alias or field.name: field for field in attrs.fields(resolved) if field.init}
        for field in fields.values():
            converter_for(field.type)
        return fields
    except Exception as error:
        raise PluginContractError(
            f"the configuration class {config_class!r} cannot be read: {error}",
            remedy="it must be an attrs class whose annotations can be resolved at run time",
        ) from error


def build(
    config_class: type[T],
    given: Mapping[str, object],
    *,
    conversion: Conversion,
    source: str,
    origin: Callable[[str], str],
) -> T:
    """The instance of ``config_class`` with the options ``given``.

    For messages, ``source`` is where the options stand, and ``origin`` tells where a single one does.

    Raises :class:`ConfigError` for what was given, :class:`PluginContractError` for a faulty class.
    """
    values: dict[str, Any] = {}
    for name, field in option_fields(config_class).items():
        if name in given:
            values[name] = _option(name, field, given[name], conversion, origin(name))
        elif isinstance(field.default, Path):
            values[name] = conversion.convert(field.default, field.type)
        elif field.default is attrs.NOTHING:
            raise ConfigError(f"option '{name}' is missing in {source}", remedy=f"add it: {description(field) or name}")
    failure: SignerError
    try:
        return config_class(**values)
    except ConfigError:
        raise
    except (ValueError, TypeError, ArithmeticError) as error:
        failure = _refused(config_class, values, error, source, origin)
    except Exception as error:
        name = f"{config_class.__module__}.{config_class.__qualname__}"
        failure = PluginContractError(
            f"{name} raised {type(error).__name__} for its options", remedy="its validators must raise ValueError"
        )
    raise failure  # out here, so that an exception that may hold a secret is not its __context__


def unknown_option(
    owner: str, name: str, source: str, *, fields: Iterable[str], others: Iterable[str] = ()
) -> ConfigError:
    """The error about an option that ``owner`` has not; it has ``fields``, and one of the ``others`` may be meant."""
    import difflib

    close = difflib.get_close_matches(name, sorted({*fields, *others}), n=1)
    return ConfigError(
        f"{owner} has no option {name!r} ({source})",
        remedy=f"did you mean {close[0]!r}?" if close else f"its options are: {', '.join(sorted(fields)) or 'none'}",
    )


def portable(config: object, given: Mapping[str, object]) -> dict[str, object]:
    """The options that give the same ``config`` anywhere as those ``given`` do: paths and references made absolute."""
    options = dict(given)
    for name, field in option_fields(type(config)).items():
        converted = getattr(config, field.name)
        if isinstance(converted, Path):
            options[name] = str(converted)
        elif isinstance(converted, Secret):
            options[name] = converted
        elif isinstance(converted, tuple | dict) and name in given:
            options[name] = converted  # the caller may change the list or mapping that was given
    return options


def _refused(
    config_class: type[Any],
    values: Mapping[str, object],
    error: Exception,
    source: str,
    origin: Callable[[str], str],
) -> ConfigError:
    """What a validator of the class refused: its option, where a single one tells."""
    for name, field in option_fields(config_class).items():
        if field.validator is None or name not in values:
            continue
        try:
            value = values[name] if field.converter is None else _by_converter(field, values[name])
            field.validator(None, field, value)
        except (ValueError, TypeError, ArithmeticError) as reason:
            return _not_right(name, origin(name), _shown(reason, field))
        except AttributeError:
            continue  # it looks at other options of the instance, so it is not about this one alone
    hidden = [
        str(values[name]) for name, field in option_fields(config_class).items() if name in values and not field.repr
    ]
    remedy = None if any(value in str(error) for value in hidden) else str(error)
    return ConfigError(f"the options in {source} do not fit together", remedy=remedy)


def _not_right(name: str, source: str, remedy: str | None) -> ConfigError:
    return ConfigError(f"option '{name}' in {source} is not right", remedy=remedy)


def _option(name: str, field: "attrs.Attribute[Any]", value: object, conversion: Conversion, source: str) -> Any:
    failure: SignerError
    try:
        converted = _converted(field, value, conversion.for_option(name))
    except ConfigError as error:
        failure = _not_right(name, source, error.remedy)
    except _UNSUITABLE as error:
        # What the core itself says of a value never repeats it.
        failure = _not_right(name, source, str(error) if field.converter is None else _shown(error, field))
    except Exception as error:
        failure = PluginContractError(
            f"the converter of option '{name}' raised {type(error).__name__}", remedy="it must raise ValueError"
        )
    else:
        if converted in ("", (), {}) and field.default is attrs.NOTHING:
            raise ConfigError(f"option '{name}' in {source} is empty", remedy=_what_is_right(field))
        return converted
    raise failure  # out here, so that an exception that may hold a secret is not its __context__


def _converted(field: "attrs.Attribute[Any]", value: object, conversion: Conversion) -> Any:
    """What to give the class for the option ``field``."""
    if field.converter is None:
        return conversion.convert(value, field.type)
    # Paths and secrets are the core's business, so a converter of the author's gets what the core made of them.
    ours = holds(field.type, Path) or holds(field.type, Secret)
    value = conversion.convert(value, field.type) if ours else conversion.plain(value, field.type)
    # A rehearsal, to name the option in the error; attrs converts it again.
    conversion.convert(_by_converter(field, value), field.type)
    return value


def _by_converter(field: "attrs.Attribute[Any]", value: object) -> object:
    converter: Any = field.converter
    takes_more: bool = isinstance(converter, attrs.Converter)
    return converter(value, None, field) if takes_more else converter(value)


def _shown(error: Exception, field: "attrs.Attribute[Any]") -> str | None:
    """The text of a converter's or validator's error, unless it might repeat a value that is not to be shown."""
    return str(error) if field.repr and not holds(field.type, Secret) else _what_is_right(field)


def _what_is_right(field: "attrs.Attribute[Any]") -> str | None:
    return f"it is {text}" if (text := description(field)) else None
