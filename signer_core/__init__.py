"""Sign with a key that lives anywhere.

>>> from signer_core import create_signer
>>> with create_signer({"backend": "noop"}) as signer:
...     signature = signer.sign(b"block header")
...     signer.public_key.verify(signature, b"block header")

What is listed in ``__all__`` and the errors in :mod:`signer_core.errors` are the whole interface for applications;
plugin authors find theirs in :mod:`signer_core.hookspecs`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signer_core.algorithms import Algorithm
    from signer_core.deadline import Deadline
    from signer_core.factory import create_signer, create_signer_async, init_signer
    from signer_core.hookspecs import Backend, Extension, SignEvent, SigningKey, hookimpl
    from signer_core.public_key import PublicKey
    from signer_core.secrets import Secret
    from signer_core.signer import Signer

__all__ = [
    "Algorithm",
    "Backend",
    "Deadline",
    "Extension",
    "PublicKey",
    "Secret",
    "SignEvent",
    "Signer",
    "SigningKey",
    "create_signer",
    "create_signer_async",
    "hookimpl",
    "init_signer",
]

# Loaded when asked for: `import signer_core.errors` or the command's --help must not pay for cryptography.
_MODULES = {
    "Algorithm": "algorithms",
    "Backend": "hookspecs",
    "Deadline": "deadline",
    "Extension": "hookspecs",
    "PublicKey": "public_key",
    "Secret": "secrets",
    "SignEvent": "hookspecs",
    "Signer": "signer",
    "SigningKey": "hookspecs",
    "create_signer": "factory",
    "create_signer_async": "factory",
    "hookimpl": "hookspecs",
    "init_signer": "factory",
}


if not TYPE_CHECKING:  # a type checker must see the names above and no others

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
