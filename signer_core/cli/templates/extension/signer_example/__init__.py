"""The extension ``example``: its options, and the hooks by which signer-core attaches it to a signer."""

import attrs
from signer_core import Extension, hookimpl
from signer_core.options import describe


@attrs.frozen(kw_only=True)
class ExampleConfig:
    """The options of the extension; signer-core reads, converts and reports them."""

    max_bytes: int = attrs.field(
        default=4096,
        validator=attrs.validators.ge(0),
        metadata=describe("the largest message that is signed"),
    )
    forbidden: tuple[str, ...] = attrs.field(
        default=(),
        metadata=describe("texts, none of which a message may hold"),
    )


@hookimpl
def signer_extension() -> Extension:
    """Describe the extension, without a look at any file or network."""
    return Extension(contract=1, config_class=ExampleConfig, needs_message=True)


@hookimpl
def signer_attach(config: ExampleConfig) -> object:
    """What watches one signer."""
    # Imported here, as is whatever takes time to import.
    from signer_example.policy import ExamplePolicy

    return ExamplePolicy(config)
