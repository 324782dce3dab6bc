"""What the core holds every key of a plugin to, before it is used."""

import logging
import math
import reprlib
from collections.abc import Callable, Mapping

from signer_core.errors import PluginContractError, SignerError
from signer_core.hookspecs import SigningKey
from signer_core.public_key import PublicKey

_logger = logging.getLogger("signer_core")


def describe(key: SigningKey) -> str:
    """The key's class, for messages about what it did."""
    return f"{type(key).__module__}.{type(key).__qualname__}"


def check_key(key: object) -> SigningKey:
    """``key``, if it has what the contract asks of every key; else :class:`PluginContractError`."""
    if not isinstance(key, SigningKey):
        raise PluginContractError(f"a SigningKey was expected, not {type(key).__module__}.{type(key).__qualname__}")
    for name, (is_right, right) in _PROPERTIES.items():
        try:
            value = getattr(key, name)
        except SignerError:
            raise
        except Exception as error:
            raise PluginContractError(f"{describe(key)}.{name} raised {type(error).__name__}") from error
        if not is_right(value):
            raise PluginContractError(
                f"{describe(key)}.{name} is {reprlib.repr(value)}, and must be {right}",
                remedy="see signer_core.hookspecs.SigningKey",
            )
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
    "max_message_remedy": (lambda value: value is None or isinstance(value, str), "a text or None"),
    "renew_after": (lambda value: value is None or _is_above_0(value), "a number of seconds above 0, or None"),
    "reopens": (lambda value: isinstance(value, bool), "True or False"),
}


def close_unwanted(key: SigningKey) -> None:
    """Close a key that nobody will use, on the way to an error that says more than one of closing it."""
    try:
        key.close()
    except Exception as error:
        _logger.warning("%s failed to close: %s", describe(key), type(error).__name__)
