"""What must never show."""

import base64
import logging
import pickle
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest

from signer_core.errors import ConfigError, SignerError
from signer_core.factory import create_signer
from signer_core.hookspecs import SigningKey
from signer_core.secrets import Secret
from signer_core.signer import Signer
from signer_core.testing.fixtures import Config, Fixtures
from signer_core.testing.outcomes import ended

SHORTEST = 8  # bytes


class Secrecy(Fixtures):
    """Tests that look for the configured secrets where they must not be."""

    def test_nothing_secret_in_reprs(
        self, options: Any, signer: Signer, key: SigningKey, secrets: Mapping[str, Secret]
    ) -> None:
        """No ``repr`` or ``str`` of the configuration, the key or the signer shows a secret."""
        for thing in (options, key, key.key_id, key.public_key, signer):
            assert_hidden(secrets, f"the repr of {type(thing).__name__}", f"{thing!r} {thing}")

    def test_nothing_secret_in_logs(
        self,
        config: Config,
        secrets: Mapping[str, Secret],
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Nothing that is logged while a key is opened, used and closed shows a secret, at whatever level; and nothing
        that is printed.
        """
        with caplog.at_level(logging.DEBUG), create_signer(config) as signer:
            signer.sign(b"message")
        assert_hidden(secrets, "the log", logged(caplog))
        assert_hidden(secrets, "what was printed", "\n".join(capfd.readouterr()))

    def test_nothing_secret_in_errors(self, config: Config, options: Any, secrets: Mapping[str, Secret]) -> None:
        """An option of a wrong type is a ConfigError, which shows no secret; nor do the errors behind it. The same is
        true of whatever error comes of an empty one.
        """
        assert_wrong_options_hide(secrets, options, lambda wrong: create_signer({**config, **wrong}).close())

    def test_nothing_secret_in_pickles(
        self, signer: Signer, key: SigningKey, options: Any, secrets: Mapping[str, Secret]
    ) -> None:
        """What a signer and a key pickle as holds no secret: references to secrets are pickled, or nothing is."""
        referenced = {name: secrets[name] for name in secrets if isinstance(getattr(options, name, None), Secret)}
        for what, thing, hidden in (("signer", signer, referenced), ("key", key, secrets)):
            assert_hidden(hidden, f"the pickle of the {what}", pickled(thing))


def assert_wrong_options_hide(
    secrets: Mapping[str, Secret], options: Any, use: Callable[[Mapping[str, object]], object]
) -> None:
    """``use`` refuses an option of a wrong type, and no error that comes of a wrong or an empty one shows a secret."""
    for name in (field.alias or field.name for field in attrs.fields(type(options))):
        for value, kind in ((object(), ConfigError), ("", SignerError)):
            error = ended(lambda wrong={name: value}: use(wrong), kind)  # type: ignore[misc]
            if isinstance(error, SignerError):
                assert_hidden(secrets, f"the error of a wrong {name!r}", told(error))
            else:
                assert value == "", f"option {name!r} takes whatever it is given: give its field a type"


def assert_hidden(secrets: Mapping[str, Secret], where: str, text: str) -> None:
    """No secret is in ``text``, in none of the usual spellings. The failure does not show it either."""
    for name, secret in secrets.items():
        revealed = secret.reveal()
        assert len(revealed) >= SHORTEST, f"the kit cannot look for {name!r}: it has less than {SHORTEST} bytes"
        for spelling, spell in SPELLINGS.items():
            if spell(revealed) in text:
                # without a trace, which would show it once more
                pytest.fail(f"{where} shows the secret {name!r}, {spelling}", pytrace=False)


SPELLINGS: Mapping[str, Callable[[bytes], str]] = {
    "as it is": lambda secret: secret.decode("utf-8", "backslashreplace"),
    "byte for byte": lambda secret: secret.decode("latin-1"),
    "as a literal": lambda secret: repr(secret)[2:-1],
    "in hex": bytes.hex,
    "in upper-case hex": lambda secret: secret.hex().upper(),
    "in base64": lambda secret: base64.b64encode(secret).decode().rstrip("="),
    "in base64url": lambda secret: base64.urlsafe_b64encode(secret).decode().rstrip("="),
}


def told(error: BaseException) -> str:
    """All that an error tells: itself, its fields, and the errors behind it, hidden ones too."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__]
    return "\n".join(f"{each!r} {each} {each.args} {vars(each)} {traceback.format_exception(each)}" for each in seen)


def pickled(thing: object) -> str:
    """What ``thing`` pickles as, byte for byte; nothing, if it does not."""
    try:
        return pickle.dumps(thing).decode("latin-1")
    except Exception:  # whatever the reason
        return ""


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged: the messages, their tracebacks, and what the records carry besides."""
    return "\n".join([caplog.text, *(repr(vars(record)) for record in caplog.records)])
