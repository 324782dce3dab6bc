"""The backend ``example``: its options, and the hooks by which signer-core opens its keys."""

from pathlib import Path

import attrs
from signer_core import Algorithm, Backend, Deadline, SigningKey, hookimpl
from signer_core.options import describe


@attrs.frozen(kw_only=True)
class ExampleConfig:
    """The options of the backend; signer-core reads, converts and reports them."""

    path: Path = attrs.field(metadata=describe("the file that holds the key, 64 hex digits"))


@hookimpl
def signer_backend() -> Backend:
    """Describe the backend, without a look at any key, file or network."""
    return Backend(
        contract=1,
        config_class=ExampleConfig,
        algorithms=frozenset({Algorithm.ED25519}),
    )


@hookimpl
def signer_open(config: ExampleConfig, deadline: Deadline) -> SigningKey:
    """Open the key that exists."""
    # Imported here, as is whatever takes time to import.
    from signer_example.key import ExampleKey

    return ExampleKey.read(config.path, deadline)


@hookimpl
def signer_init(config: ExampleConfig, deadline: Deadline) -> SigningKey:
    """Make the key if it is missing, then open it."""
    from signer_example.key import ExampleKey

    ExampleKey.make(config.path, deadline)
    return ExampleKey.read(config.path, deadline)
