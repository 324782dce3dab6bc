"""Settings: the options of one signer as they were found, and what they become: the attrs class of its backend."""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from signer_core.errors import ConfigError, PluginContractError, SignerError
from signer_core.options import Conversion, ShellText, budget, converter_for, describe, description, holds
from signer_core.pins import hex_address, hex_bytes
from signer_core.secrets import Secret

_logger = logging.getLogger("signer_core")

ENVIRONMENT_PREFIX = "SIGNER_"
_PROTECTED = ("verify", "expected_", "trusted", "extensions", "allow_")

#: What a converter or a validator raises that was given something unsuitable.
_UNSUITABLE = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError)

T = TypeVar("T")


def _at_least_0(value: int | None) -> int | None:
    if isinstance(value, int) and value < 0:
        raise ValueError("write 0 or more")
    return value


@attrs.frozen(kw_only=True)
class CoreOptions:
    """The options that every backend has; None where the backend's default holds."""

    timeout: float | None = attrs.field(
        default=None, converter=budget, metadata=describe("the whole time that one call may take, such as 10s")
    )
    attempt_timeout: float | None = attrs.field(
        default=None, converter=budget, metadata=describe("the time that one attempt may take, such as 3s")
    )
    max_retries: int | None = attrs.field(
        default=None, converter=_at_least_0, metadata=describe("attempts after the first, where another may help")
    )
    verify: bool | None = attrs.field(
        default=None, metadata=describe("verify each signature before it is returned: true or false")
    )
    expected_address: str | None = attrs.field(
        default=None, metadata=describe("the address of the only key that will do, in hex")
    )
    expected_public_key: str | None = attrs.field(
        default=None,
        metadata=describe("the only public key that will do, in hex: raw, or the DER SubjectPublicKeyInfo"),
    )
    trusted: str | None = attrs.field(
        default=None, metadata=describe('the distribution that may serve this backend, such as "signer-file"')
    )

    @expected_address.validator
    def _is_address(self, _: object, value: str | None) -> None:
        hex_address(value)

    @expected_public_key.validator
    def _is_hex(self, _: object, value: str | None) -> None:
        hex_bytes(value)


#: Names that no backend may use for an option of its own.
CORE_OPTIONS = frozenset({"backend", "extensions", *attrs.fields_dict(CoreOptions)})


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Settings:
    """One ``[signer]`` table as it was found: nothing converted yet, but all known of where it came from."""

    #: The options, by name.
    table: Mapping[str, object]
    #: What messages call the table.
    source: str
    #: Where relative paths start.
    directory: Path
    #: The name of the signer; None where it has none.
    name: str | None = None
    #: Options out of the environment and out of arguments; the latter win over the former, and those over the table.
    environment: Mapping[str, ShellText] = attrs.field(factory=dict)
    arguments: Mapping[str, object] = attrs.field(factory=dict)
    #: Asks for secrets that are configured as "prompt".
    prompt: Callable[[], bytes] | None = None

    @property
    def backend(self) -> str:
        """The name of the backend."""
        for options in (self.arguments, self.table, self.environment):
            if "backend" in options:
                name = options["backend"]
                if not isinstance(name, str) or not name:
                    raise ConfigError(f"option 'backend' in {self.source}: write the name of a backend")
                return name.as_text() if isinstance(name, ShellText) else name
        raise ConfigError(
            f"{self.source} names no backend", remedy='add backend = "NAME"; `signer backends` lists the installed ones'
        )

    def core_options(self) -> CoreOptions:
        """The core's own options. Raises :class:`ConfigError`."""
        if any(options.get("extensions") not in (None, {}) for options in (self.table, self.arguments)):
            raise ConfigError(
                f"option 'extensions' in {self.source}: this version of signer-core attaches no extensions",
                remedy="leave it out",
            )
        return self._build(CoreOptions, self._given(_CORE_FIELDS))

    def backend_config(self, config_class: type[T]) -> T:
        """The backend's own options as its attrs class. Raises :class:`ConfigError`; for a faulty class
        :class:`PluginContractError`.
        """
        fields = option_fields(config_class)
        if taken := CORE_OPTIONS & fields.keys():
            raise PluginContractError(
                f"{config_class.__module__}.{config_class.__qualname__} has options that the core has too: "
                f"{', '.join(sorted(taken))}",
                remedy="its author must rename them",
            )
        for options in (self.table, self.arguments):
            for name in options:
                if name not in fields and name not in CORE_OPTIONS:
                    raise self._unknown(name, fields)
        return self._build(config_class, self._given(fields))

    def ignored_variables(self, config_class: type[Any]) -> tuple[str, ...]:
        """The ``SIGNER_…`` variables that change nothing: the backend has no such option, or they may not touch it."""
        known = _CORE_FIELDS | option_fields(config_class).keys() | {"backend"}
        return tuple(_variable(option) for option in self.environment if option not in known or self._protects(option))

    def warn_of_powerless_variables(self) -> None:
        """Log the variables that try to change what the environment may not touch: somebody may count on them."""
        if powerless := [_variable(option) for option in self.environment if self._protects(option)]:
            _logger.warning("%s: ignored, this is set in %s only", ", ".join(powerless), self.source)

    def reopening(self, config: object) -> dict[str, object]:
        """The mapping that opens the same signer anywhere: all that was given, paths and references made absolute."""
        fields = option_fields(type(config))
        given = self._given(frozenset({*CORE_OPTIONS, *fields}))
        for name, field in fields.items():
            converted = getattr(config, field.name)
            if isinstance(converted, Path):
                given[name] = str(converted)
            elif isinstance(converted, Secret):
                given[name] = converted
            elif isinstance(converted, tuple | dict) and name in given:
                given[name] = converted  # the caller may change the list or mapping that was given
        return {**given, "backend": self.backend}

    def _given(self, names: Iterable[str]) -> dict[str, object]:
        """What was configured of the options ``names``: arguments before environment before table."""
        environment = {option: text for option, text in self.environment.items() if not self._protects(option)}
        merged: dict[str, object] = {**self.table, **environment, **self.arguments}
        return {name: merged[name] for name in names if name in merged}

    def _protects(self, option: str) -> bool:
        """Whether the environment may not set the option: it guards the key, or chooses another one."""
        return option.startswith(_PROTECTED) or (option == "backend" and "backend" in self.table)

    def _build(self, config_class: type[T], given: Mapping[str, object]) -> T:
        conversion = Conversion(self.directory, self.prompt)
        values: dict[str, Any] = {}
        for name, field in option_fields(config_class).items():
            if name in given:
                values[name] = self._option(name, field, given[name], conversion)
            elif isinstance(field.default, Path):
                values[name] = conversion.convert(field.default, field.type)
            elif field.default is attrs.NOTHING:
                raise ConfigError(
                    f"option '{name}' is missing in {self.source}", remedy=f"add it: {description(field) or name}"
                )
        failure: SignerError
        try:
            return config_class(**values)
        except ConfigError:
            raise
        except (ValueError, TypeError, ArithmeticError) as error:
            failure = self._refused(config_class, values, error)
        except Exception as error:
            name = f"{config_class.__module__}.{config_class.__qualname__}"
            failure = PluginContractError(
                f"{name} raised {type(error).__name__} for its options", remedy="its validators must raise ValueError"
            )
        raise failure  # out here, so that an exception that may hold a secret is not its __context__

    def _refused(self, config_class: type[Any], values: Mapping[str, object], error: Exception) -> ConfigError:
        """What a validator of the class refused: its option, where a single one tells."""
        for name, field in option_fields(config_class).items():
            if field.validator is None or name not in values:
                continue
            try:
                value = values[name] if field.converter is None else _by_converter(field, values[name])
                field.validator(None, field, value)
            except (ValueError, TypeError, ArithmeticError) as reason:
                return self._not_right(name, _shown(reason, field))
            except AttributeError:
                continue  # it looks at other options of the instance, so it is not about this one alone
        hidden = [
            str(values[name])
            for name, field in option_fields(config_class).items()
            if name in values and not field.repr
        ]
        remedy = None if any(value in str(error) for value in hidden) else str(error)
        return ConfigError(f"the options in {self.source} do not fit together", remedy=remedy)

    def _not_right(self, name: str, remedy: str | None) -> ConfigError:
        return ConfigError(f"option '{name}' in {self.source} is not right", remedy=remedy)

    def _option(self, name: str, field: "attrs.Attribute[Any]", value: object, conversion: Conversion) -> Any:
        failure: SignerError
        try:
            converted = _converted(field, value, conversion)
        except ConfigError as error:
            failure = self._not_right(name, error.remedy)
        except _UNSUITABLE as error:
            # What the core itself says of a value never repeats it.
            failure = self._not_right(name, str(error) if field.converter is None else _shown(error, field))
        except Exception as error:
            failure = PluginContractError(
                f"the converter of option '{name}' raised {type(error).__name__}", remedy="it must raise ValueError"
            )
        else:
            if converted in ("", (), {}) and field.default is attrs.NOTHING:
                raise ConfigError(f"option '{name}' in {self.source} is empty", remedy=_what_is_right(field))
            return converted
        raise failure  # out here, so that an exception that may hold a secret is not its __context__

    def _unknown(self, name: object, fields: Mapping[str, object]) -> ConfigError:
        import difflib

        known = sorted({*fields, *CORE_OPTIONS})
        close = difflib.get_close_matches(str(name), known, n=1)
        return ConfigError(
            f"backend {self.backend!r} has no option {name!r} ({self.source})",
            remedy=f"did you mean {close[0]!r}?"
            if close
            else f"its options are: {', '.join(sorted(fields)) or 'none'}",
        )


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


def _variable(option: str) -> str:
    return ENVIRONMENT_PREFIX + option.upper()


def _what_is_right(field: "attrs.Attribute[Any]") -> str | None:
    return f"it is {text}" if (text := description(field)) else None


_CORE_FIELDS = frozenset(attrs.fields_dict(CoreOptions))
