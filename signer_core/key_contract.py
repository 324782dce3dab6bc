"""What the core holds every key of a plugin to, before it is used."""

import logging
import math
import reprlib
from collections.abc import Callable, Mapping

from signer_core.errors import PluginContractError, SignerError
from signer_core.hookspecs import SigningKey
from signer_core.public_key import PublicKey

_logger = logging.getLogger("signer_core")


#: What code of a plugin may raise that the library must not let out. An interrupt is the user's, and passes.
FOREIGN = (Exception, SystemExit)

#: Makes the error that says whose contract was broken, and how.
Broken = Callable[[str], PluginContractError]


def broken_in_code(what: str) -> PluginContractError:
    """The error about a key that was made in code, so that it has no plugin to name."""
    return PluginContractError(what, remedy="see signer_core.hookspecs.SigningKey")


def describe(key: SigningKey) -> str:
    """The key's class, for messages about what it did."""
    return f"{type(key).__module__}.{type(key).__qualname__}"


def check_key(key: object, broken: Broken = broken_in_code) -> SigningKey:
    """``key``, if it has what the contract asks of every key; else :class:`PluginContractError`."""
    if not isinstance(key, SigningKey):
        raise broken(f"a SigningKey was expected, not {type(key).__module__}.{type(key).__qualname__}")
    for name, (is_right, right) in _PROPERTIES.items():
        try:
            value = getattr(key, name)
        except SignerError:
            raise
        except FOREIGN as error:
            raise broken(f"{describe(key)}.{name} raised {type(error).__name__}") from error
        if not is_right(value):
            raise broken(f"{describe(key)}.{name} is {reprlib.repr(value)}, and must be {right}")
    return key


def _is_above_0(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= math.inf


#: What the properties of a key must be.
_PROPERTIES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "key_id": (lambda value: isinstance(value, str) and value != "", "a text that is not empty"),
    "public_key": (lambda value: isinstance(value, PublicKey), "a PublicKey"),
    "max_message_bytes": (
        lambda value: value is None or (isinstance(value, int) and _is_above_0(value)),
        "a number of bytes above 0, or None",
    ),
    "concurrency": (
        lambda value: value is None or (isinstance(value, int) and _is_above_0(value)),
        "a number of signatures above 0, or None",
    ),
    "renew_after": (lambda value: value is None or _is_above_0(value), "a number of seconds above 0, or None"),
    "reopens": (lambda value: isinstance(value, bool), "True or False"),
}


def close_unwanted(key: SigningKey) -> None:
    """Close a key that nobody will use, on the way to an error that says more than one of closing it."""
    try:
        key.close()
    except FOREIGN as error:
        _logger.warning("%s failed to close: %s", describe(key), type(error).__name__)
