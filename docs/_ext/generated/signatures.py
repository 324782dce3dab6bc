"""How the signatures of Python's names are shown."""

import re
from typing import Any

from sphinx.application import Sphinx

from signer_core import Deadline, PublicKey
from signer_core.errors import SignerError

_FUNCTION = re.compile(r"<(?:built-in )?function (\w+)(?: at 0x\w+)?>")
_ALGORITHMS = re.compile(r"frozenset\(\{(?:Algorithm\.\w+(?:, )?)+\}\)")


def shorter(
    _: Sphinx, what: str, __: str, owner: Any, ___: Any, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    """Leave out how an error is made, since it is caught, how what has methods for that, and the list of algorithms.

    A default that is a function has its name, not its address.
    """
    if (what == "exception" and issubclass(owner, SignerError)) or owner in (Deadline, PublicKey):
        return "", ""
    if signature is None:
        return None
    return _FUNCTION.sub(r"\1", _ALGORITHMS.sub("frozenset(Algorithm)", signature)), returns
