"""Where settings are written: a mapping, a TOML or YAML file, the environment."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from signer_core.errors import ConfigError
from signer_core.options import ShellText
from signer_core.paths import working_directory
from signer_core.settings import ENVIRONMENT_PREFIX, Settings

_NOT_OPTIONS = frozenset({"config"})  # SIGNER_CONFIG names the file for the command
_MAX_BYTES = 1024 * 1024
_MOST_MERGED = 10_000  # options of one YAML table


def read(
    config: "Mapping[str, object] | str | os.PathLike[str]",
    *,
    name: str | None = None,
    arguments: Mapping[str, object] | None = None,
    prompt: Callable[[str], bytes] | None = None,
    inspect: Callable[[os.stat_result], None] | None = None,
) -> Settings:
    """The settings in a mapping (the body of a ``[signer]`` table), or in a TOML or YAML file.

    ``name`` picks ``[signers.NAME]`` from a file; it only labels a mapping. ``arguments`` are options that win over all
    others. ``inspect`` is shown the ``fstat`` of the opened file, and may raise; a pipe is then opened without waiting.
    Raises :class:`ConfigError`.
    """
    if isinstance(config, Mapping):
        return Settings(
            _table(config, "the configuration"),
            source="the configuration",
            directory=working_directory(),
            name=name,
            arguments=arguments,
            prompt=prompt,
        )
    path = _file(config)
    return _settings(_parse(path, inspect), name, path, arguments=arguments, prompt=prompt)


def read_all(
    config: "str | os.PathLike[str]", *, inspect: Callable[[os.stat_result], None] | None = None
) -> list[Settings]:
    """The settings of each signer in a file, ``[signer]`` first, of one moment; for ``inspect`` see :func:`read`.

    Raises :class:`ConfigError`, also for a file that has no signer.
    """
    path = _file(config)
    content = _parse(path, inspect)
    names: list[str | None] = [*_names(content)]
    if not names or (isinstance(content, Mapping) and "signer" in content):
        names.insert(0, None)
    return [_settings(content, name, path) for name in names]


def signer_names(
    config: "str | os.PathLike[str]", *, inspect: Callable[[os.stat_result], None] | None = None
) -> list[str]:
    """The names of the tables ``[signers.NAME]`` in a file; for ``inspect`` see :func:`read`. Raises
    :class:`ConfigError`.
    """
    return _names(_parse(_file(config), inspect))


def _settings(
    content: object,
    name: str | None,
    path: Path,
    *,
    arguments: Mapping[str, object] | None = None,
    prompt: Callable[[str], bytes] | None = None,
) -> Settings:
    """The settings of the signer ``name`` in the parsed file ``path``."""
    heading, table = _choose(content, name, path)
    source = f"{path} [{heading}]"
    return Settings(
        _table(table, source),
        source=source,
        directory=path.parent,
        name=name,
        environment=_environment(),
        arguments=arguments,
        prompt=prompt,
    )


def _file(config: object) -> Path:
    path: object = os.fspath(config) if isinstance(config, str | os.PathLike) else None
    if not isinstance(path, str):
        raise ConfigError(f"a configuration is a mapping or the path of a file, not {type(config).__name__}")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        path = ""
    if not path or "\0" in path:
        raise ConfigError("the path of the configuration is empty, or has characters that no path has")
    return Path(os.path.normpath(working_directory() / path))


def _choose(content: object, name: str | None, path: Path) -> tuple[str, object]:
    """The heading and the body of the table that ``name`` asks for."""
    tables = content if isinstance(content, Mapping) else {}
    names = _names(content)
    missing = "[signer]" if name is None else f"[signers.{name}]"
    has = f"its signers are: {', '.join(names)}" if names else f"add the table {missing}"
    if name is None:
        if "signer" not in tables:
            missing = "has several signers and no [signer]" if names else "has no table [signer]"
            raise ConfigError(f"{path} {missing}", remedy=f"give a name; {has}" if names else has)
        return "signer", tables["signer"]
    if name not in names:
        raise ConfigError(f"{path} has no table [signers.{name}]", remedy=has)
    return f"signers.{name}", tables["signers"][name]


def _names(content: object) -> list[str]:
    signers = content.get("signers") if isinstance(content, Mapping) else None
    return sorted(each for each in signers if isinstance(each, str)) if isinstance(signers, Mapping) else []


def _table(table: object, source: str) -> dict[str, object]:
    if not isinstance(table, Mapping):
        raise ConfigError(f"{source} is not a table of options")
    for option in table:
        if not isinstance(option, str):
            raise ConfigError(f"{source} has an option {option!r}: the name of an option is a text")
    return dict(table)


def _parse(path: Path, inspect: Callable[[os.stat_result], None] | None = None) -> object:
    try:
        with open(path, "rb", opener=None if inspect is None else _without_waiting) as file:
            if inspect is not None:
                inspect(os.fstat(file.fileno()))
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"there is no configuration file {path}", remedy="write one, or give its path") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path} is larger than {_MAX_BYTES} bytes: this is no configuration")
    is_yaml = path.suffix in (".yaml", ".yml")
    try:
        text = content.decode("utf-8")
        return _parse_yaml(text, path) if is_yaml else _parse_toml(text)
    except ConfigError:
        raise
    except UnicodeDecodeError:
        failure = "is not text in UTF-8"
    except RecursionError:
        failure = "is nested too deeply"
    except Exception as error:  # PyYAML lets an IndexError, a KeyError and others out
        failure = f"is not valid {'YAML' if is_yaml else 'TOML'}{_place(error)}"
    # Raised out here, so that the exception, which may hold a secret, is not this one's __context__ either.
    raise ConfigError(f"{path} {failure}")


def _without_waiting(path: str, flags: int) -> int:
    """Open what is inspected next, for which a pipe must not wait for a writer that never comes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def _place(error: Exception) -> str:
    """Where a parser failed, and no more of what it says: the line may hold a secret."""
    if (mark := getattr(error, "problem_mark", None)) is not None:
        return f" (at line {mark.line + 1}, column {mark.column + 1})"
    place = re.search(r" \(at [a-z0-9, ]+\)$", str(error))
    return place[0] if place else ""


def _parse_toml(text: str) -> object:
    import tomllib

    return tomllib.loads(text)


def _parse_yaml(text: str, path: Path) -> object:
    try:
        import yaml
    except ImportError:
        raise ConfigError(f"{path} is YAML", remedy="pip install 'signer-core[yaml]', or write TOML") from None

    class Loader(yaml.SafeLoader):
        """Refuses a key that is written twice, as TOML does: the second one may undo what protects.

        Merges mappings (``<<``), but not those that multiply each other to fill the memory.
        """

        def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
            node = super().compose_mapping_node(anchor)
            written = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in written:
                    line = key.start_mark.line + 1
                    raise ConfigError(f"{path} has the key {key.value!r} a second time (at line {line})")
                written.add((key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key))
            return node

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            super().flatten_mapping(node)
            if len(node.value) > _MOST_MERGED:
                raise yaml.YAMLError

    return yaml.load(text, Loader)  # noqa: S506 — a SafeLoader


def _environment() -> dict[str, ShellText]:
    return {
        option: ShellText(value)
        for variable, value in os.environ.items()
        if variable.startswith(ENVIRONMENT_PREFIX)
        and variable == variable.upper()
        and (option := variable.removeprefix(ENVIRONMENT_PREFIX).lower()) not in _NOT_OPTIONS
    }
