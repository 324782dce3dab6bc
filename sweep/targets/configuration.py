"""Configuration files, durations, references to secrets, and what a shell gives."""

import contextlib
import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from signer_core import Secret
from signer_core.config import read, read_all
from signer_core.errors import ConfigError
from signer_core.options import Conversion, ShellText, budget, seconds
from sweep.target import MARKER, Check, Target, expect, holds_no_secret, refusing, simply
from tests.strategies import EveryOption

_TOML = (
    b"""\
[signer]
backend = "throwaway"
text = "x"
number = 0x1f
ratio = 1e3
flag = true
place = "keys"
token = "%s"
mode = "safe"
level = 2
names = ["one", 'two']
labels = {a = "b", "c.d" = \"\"\"e
f\"\"\"}
timeout = "1m30s"
attempt_timeout = "250ms"
max_retries = 3
expected_address = "00ff"

[signer.extensions.audit]
path = "audit.jsonl"

[signers.other]
backend = "noop"
text = "y"

[tool]
when = 2020-01-01T00:00:00Z
"""
    % MARKER
)
_YAML = (
    b"""\
signer: &first
  backend: throwaway
  text: x
  number: 017
  ratio: .inf
  flag: yes
  place: keys
  token: "%s"
  mode: safe
  names: [one, 'two', "\\x41"]
  labels: {a: b}
  timeout: 1m30s
  extensions:
    audit: {path: audit.jsonl}
signers:
  other:
    <<: *first
    text: |
      several
      lines
    ? !!str maybe
    : ~
tool:
  when: 2020-01-01
"""
    % MARKER
)


def _reading(name: str, parse: Callable[[str], object]) -> Callable[[], contextlib.AbstractContextManager[Check]]:
    @contextlib.contextmanager
    def reading() -> Iterator[Check]:
        """A file becomes settings of the right types, or is refused, without a secret that stands in its place."""
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, name)

            def check(data: bytes) -> None:
                path.write_bytes(data)
                try:
                    for settings in [read(path), read(path, name="other"), *read_all(path)]:
                        _ = settings.backend, settings.core_options, settings.extensions
                        _check_types(settings.backend_config(EveryOption))
                except ConfigError as error:
                    # Names of options and of signers are told. So a secret that became part of one is told, too.
                    if not _is_in_name(data, parse):
                        holds_no_secret(error)

            yield check

    return reading


def _check_types(options: EveryOption) -> None:
    expect(isinstance(options.text, str) and isinstance(options.number, int), "an option is of another type")
    expect(isinstance(options.ratio, float) and isinstance(options.place, Path), "an option is of another type")
    expect(options.token is None or isinstance(options.token, Secret), "an option is of another type")
    expect(MARKER.decode() not in repr(options.token), "a secret is shown")


def _is_in_name(data: bytes, parse: Callable[[str], object]) -> bool:
    try:
        content = parse(data.decode())
    except Exception:  # whatever parsers raise: no names were read
        return False
    return any(MARKER.decode() in name for name in _names(content))


def _names(content: object) -> Iterator[str]:
    """The names in a content, which YAML may have put into itself."""
    left, seen = [content], set[int]()
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Mapping):
            yield from map(str, each)
            left += each.values()
        elif isinstance(each, list):
            left += each


def _load_yaml(text: str) -> Any:
    return yaml.safe_load(text)


def _check_duration(data: bytes) -> None:
    """A duration is a number that is not negative, and a budget one above 0; or a ``ValueError``."""
    text = data.decode(errors="replace")
    with contextlib.suppress(ValueError):
        expect(seconds(text) >= 0, "a duration is negative")
    with contextlib.suppress(ValueError):
        expect((budget(text) or 0) > 0, "a budget is not above 0")


@contextlib.contextmanager
def _revealing() -> Iterator[Check]:
    """A reference leads to a secret or is refused, without being repeated; only what is beneath a directory is read."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "secret").write_bytes(MARKER + b"\n")
        conversion = Conversion(Path(directory))

        def check(data: bytes) -> None:
            text = data.decode(errors="surrogateescape")
            secret = None
            try:
                secret = conversion.convert(text, Secret)
            except ConfigError as error:
                expect(len(text) < 16 or text not in str(error), "what may be a secret is repeated")
                holds_no_secret(error)
            if secret is None or not _is_beneath(directory, secret.reference):
                return
            with refusing():
                expect(isinstance(secret.reveal(), bytes), "a secret is no bytes")

        yield check


def _is_beneath(directory: str, reference: str) -> bool:
    kind, _, path = reference.partition(":")
    return kind != "file" or os.path.realpath(path).startswith(f"{os.path.realpath(directory)}/")


def _check_shell_text(data: bytes) -> None:
    """Any text is some value, for any type of option."""
    text = ShellText(data.decode(errors="surrogateescape").replace("\0", ""))
    expect(isinstance(text.as_text(), str), "a text is none")
    conversion = Conversion(Path("/"))
    for wanted in (int, float, bool, str, tuple[str, ...], dict[str, str]):
        with contextlib.suppress(ValueError):
            conversion.convert(text, wanted)


_DURATIONS = (b"250ms", b"10s", b"1m30s", b"1h", b"1.5s", b"1h2m3.4s5ms", b"0s", b"inf", b"nan", b"-1s", b"1e3")
_REFERENCES = (b"file:secret", b"file:./secret", b"env:HOME", b"prompt", MARKER, b"file:", b"env:A=B", b"file:no\0")
_TEXTS = (b"true", b"12", b"1.5", b'"text"', b'["a", "b"]', b'{a = "b"}', b"1979-05-27", b"x # y", b"1\nvalue = 2")

TARGETS = {
    "toml": Target(lambda: [_TOML, _TOML.replace(MARKER, b"env:HOME")], _reading("signer.toml", tomllib.loads)),
    "yaml": Target(lambda: [_YAML, _YAML.replace(MARKER, b"env:HOME")], _reading("signer.yaml", _load_yaml)),
    "durations": Target(lambda: _DURATIONS, simply(_check_duration)),
    "secret-references": Target(lambda: _REFERENCES, _revealing),
    "shell-text": Target(lambda: _TEXTS, simply(_check_shell_text)),
}
