"""The options that every backend has: the core's own."""

import attrs

from signer_core.options import budget, describe
from signer_core.pins import hex_address, hex_bytes


@attrs.frozen(kw_only=True)
class CoreOptions:
    """The options that every backend has; None where the backend's default holds."""

    timeout: float | None = attrs.field(
        default=None, converter=budget, metadata=describe("the whole time of a call, retries included, such as 10s")
    )
    attempt_timeout: float | None = attrs.field(
        default=None, converter=budget, metadata=describe("the time that one attempt may take, such as 3s")
    )
    max_retries: int | None = attrs.field(
        default=None, metadata=describe("attempts after the first, where another may help")
    )
    hedge_after: float | None = attrs.field(
        default=None,
        converter=budget,
        metadata=describe("the time after which a second attempt runs beside one without an answer, such as 150ms"),
    )
    verify: bool | None = attrs.field(
        default=None, metadata=describe("verify each signature before it is returned: true or false")
    )
    expected_address: str | None = attrs.field(
        default=None, metadata=describe("the address of the only key that will do, in hex")
    )
    expected_public_key: str | None = attrs.field(
        default=None,
        metadata=describe("the only public key that will do, in hex: raw, or the DER SubjectPublicKeyInfo"),
    )
    trusted: str | None = attrs.field(
        default=None, metadata=describe('the distribution that may serve this backend, such as "signer-file"')
    )

    @max_retries.validator
    def _is_at_least_0(self, _: object, value: int | None) -> None:
        if value is not None and value < 0:
            raise ValueError("write 0 or more")

    @trusted.validator
    def _is_a_name(self, _: object, value: str | None) -> None:
        if value == "":
            raise ValueError("write the name of a distribution")

    @expected_address.validator
    def _is_address(self, _: object, value: str | None) -> None:
        hex_address(value)

    @expected_public_key.validator
    def _is_hex(self, _: object, value: str | None) -> None:
        hex_bytes(value)


CORE_FIELDS = frozenset(attrs.fields_dict(CoreOptions))
#: Names that no backend may use for an option of its own.
CORE_OPTIONS = CORE_FIELDS | {"backend", "extensions"}
