"""The options of the ``audit`` extension."""

from pathlib import Path

import attrs

from signer_core.options import budget, describe, seconds


@attrs.frozen(kw_only=True)
class AuditConfig:
    """The options of the ``audit`` extension."""

    path: Path = attrs.field(metadata=describe("the log; made if it is missing, in a directory that is there"))
    head_interval: float = attrs.field(
        default=60.0,
        converter=seconds,
        metadata=describe("how often the head goes to the logger signer_audit, while lines are written"),
    )
    lock_timeout: float | None = attrs.field(
        default=10.0,
        converter=budget,
        metadata=describe("how long to wait while another process writes the log, whatever the timeout of the call"),
    )
