"""What the ``sign`` of ``cryptography``'s private keys is told, written out: to be compared, and to be told people."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import HashAlgorithm


def spelled(*arguments: Any) -> str:
    """The arguments as in a call; the same for those that give the same signatures, and a digest as the message is."""
    return ", ".join(_spelled(each) for each in arguments)


def _spelled(argument: Any) -> str:
    match argument:
        case ECDSA():
            deterministic = ", deterministic_signing=True" if argument.deterministic_signing else ""
            return f"ec.ECDSA({_spelled(argument.algorithm)}{deterministic})"
        case PSS():
            return f"padding.PSS({_spelled(argument._mgf)}, {_salt_length(argument)})"
        case MGF1():
            return f"padding.MGF1({_spelled(argument._algorithm)})"
        case PKCS1v15():
            return "padding.PKCS1v15()"
        case Prehashed():
            return _spelled(argument._algorithm)
        case HashAlgorithm():
            return f"hashes.{argument.name.upper()}()"
    return type(argument).__name__


def _salt_length(padding: PSS) -> str:
    length = padding._salt_length
    for name in ("DIGEST_LENGTH", "MAX_LENGTH", "AUTO"):
        if isinstance(length, type(getattr(PSS, name))):  # a copy of one is no other: securesystemslib makes them
            return f"padding.PSS.{name}"
    hash_ = getattr(padding._mgf, "_algorithm", None)
    return "padding.PSS.DIGEST_LENGTH" if hash_ is not None and length == hash_.digest_size else str(length)
