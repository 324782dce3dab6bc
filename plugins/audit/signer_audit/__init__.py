"""The ``audit`` extension of signer-core: an append-only log of signatures, failures and refusals.

Only the hooks are here; what they need is imported when they are called.
"""

from typing import TYPE_CHECKING

from signer_audit.config import AuditConfig
from signer_core.hookspecs import Extension, hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def signer_extension() -> Extension:
    """A log that needs no message: of what is signed as a digest, it has the digest."""
    return Extension(contract=1, config_class=AuditConfig, needs_message=False)


@hookimpl
def signer_attach(config: AuditConfig) -> object:
    """Open the log, or begin it."""
    from signer_audit.audit import Audit

    return Audit(config)


@hookimpl
def signer_commands() -> "click.Group":
    """``signer audit verify``."""
    from signer_audit.commands import group

    return group
