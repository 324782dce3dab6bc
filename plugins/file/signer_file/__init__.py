"""The ``file`` backend of signer-core: keys in encrypted files, in ev-node's form or as PKCS#8 PEM.

Only the hooks are here; what they need is imported when they are called, so that a command that opens no key file does
not wait for it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from signer_core.algorithms import Algorithm
from signer_core.deadline import Deadline
from signer_core.hookspecs import Backend, SigningKey, Verdict, hookimpl
from signer_file.config import FileConfig

if TYPE_CHECKING:
    import click


@hookimpl
def signer_backend() -> Backend:
    """Keys in files on this machine."""
    return Backend(contract=1, config_class=FileConfig, algorithms=frozenset(Algorithm))


@hookimpl
def signer_open(config: FileConfig, deadline: Deadline) -> SigningKey:
    """Open the key file that exists."""
    from signer_file.opening import open_key

    return open_key(config, deadline)


@hookimpl
def signer_init(config: FileConfig, deadline: Deadline) -> SigningKey:
    """Make the key file if it is missing, then open it."""
    from signer_file.opening import init_key

    return init_key(config, deadline)


@hookimpl
def signer_check(config: FileConfig) -> Iterable[Verdict]:
    """Judge the key file, its permissions and its encryption."""
    from signer_file.check import verdicts

    return verdicts(config)


@hookimpl
def signer_commands() -> "click.Group":
    """``signer file export``, ``import`` and ``passwd``."""
    from signer_file.commands import group

    return group
