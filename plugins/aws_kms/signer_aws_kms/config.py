"""The options of the ``awskms`` backend."""

import attrs

from signer_core.algorithms import Algorithm
from signer_core.options import describe, seconds

#: The backend's defaults of the core's options: seconds of a call and of one attempt, attempts after the first.
TIMEOUT = 10.0
ATTEMPT_TIMEOUT = 3.0
MAX_RETRIES = 3

_RSA_BITS = 2048, 3072, 4096


@attrs.frozen(kw_only=True)
class AwsKmsConfig:
    """The options of the ``awskms`` backend."""

    key_id: str = attrs.field(metadata=describe("a key id, key ARN, alias name (alias/…) or alias ARN"))
    region: str | None = attrs.field(
        default=None, metadata=describe("the AWS region; by default the one AWS's chain has")
    )
    profile: str | None = attrs.field(default=None, metadata=describe("a profile of AWS's configuration files"))
    endpoint_url: str | None = attrs.field(
        default=None, metadata=describe("where KMS answers, such as a VPC endpoint; by default the region's endpoint")
    )
    allow_http: bool = attrs.field(
        default=False, metadata=describe("let endpoint_url be plain http:// to more than this machine")
    )
    cache_ttl: float = attrs.field(
        default=0.0,
        converter=seconds,
        metadata=describe("how long the resolved key is trusted until it is looked up anew, such as 10m; 0 = for good"),
    )
    max_connections: int = attrs.field(
        default=64, metadata=describe("connections to KMS at once; more calls wait in order")
    )
    grant_tokens: tuple[str, ...] = attrs.field(
        default=(), repr=False, metadata=describe("grant tokens that are passed on to KMS")
    )
    algorithm: Algorithm | None = attrs.field(
        default=None,
        metadata=describe("of a new key (ed25519 unless set), and the one that an existing key must serve"),
    )
    rsa_bits: int = attrs.field(default=3072, metadata=describe("the size of a new RSA key: 2048, 3072 or 4096 bits"))
    description: str = attrs.field(default="", metadata=describe("the description of a key that `signer init` makes"))
    tags: dict[str, str] = attrs.field(factory=dict, metadata=describe("the tags of a key that `signer init` makes"))

    @key_id.validator
    def _can_be_seen(self, _: object, value: str) -> None:
        if not value.isprintable() or " " in value:  # such as the end of the line that it was read from
            raise ValueError("write it without spaces, line ends and what cannot be seen")

    @max_connections.validator
    def _at_least_1(self, _: object, value: int) -> None:
        if value < 1:
            raise ValueError("write 1 or more")

    @rsa_bits.validator
    def _is_a_size(self, _: object, rsa_bits: int) -> None:
        if rsa_bits not in _RSA_BITS:
            raise ValueError(f"write one of: {', '.join(map(str, _RSA_BITS))}")

    @endpoint_url.validator
    def _is_url(self, _: object, value: str | None) -> None:
        if value is not None:
            from signer_aws_kms.route import Route

            Route.to(value)
