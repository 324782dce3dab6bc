"""A key in the fake KMS, and values that change as KMS changes them: not for everybody at once."""

from collections import deque
from typing import Any, Generic, TypeVar

import attrs
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_aws_kms.testing.key_specs import KEY_SPECS, KeySpec
from signer_core.public_key import PublicKey

Value = TypeVar("Value")

ENABLED, DISABLED, PENDING_DELETION = "Enabled", "Disabled", "PendingDeletion"
DAY = 86400.0


class Eventual(Generic[Value]):
    """A value whose changes are seen only by the reads after the next few: eventual consistency, without a clock."""

    def __init__(self, value: Value) -> None:
        self._seen = value
        self._coming: deque[tuple[int, Value]] = deque()  # reads that do not see it yet, the value

    def set(self, value: Value, *, unseen: int = 0) -> None:
        """Change it for all reads but the next ``unseen`` ones."""
        self._coming.append((unseen, value))

    def read(self) -> Value:
        """The value as this read sees it."""
        while self._coming:
            unseen, value = self._coming[0]
            if unseen > 0:
                self._coming[0] = unseen - 1, value
                break
            self._seen = value
            self._coming.popleft()
        return self._seen

    @property
    def latest(self) -> Value:
        """The value that every read will see in the end."""
        return self._coming[-1][1] if self._coming else self._seen


@attrs.define(eq=False, kw_only=True)
class FakeKey:
    """A key in the fake KMS.

    What is changed here is seen at once; what is changed by a request, as the ``unseen`` of ``FakeKms`` has it.
    """

    id: str
    arn: str
    spec: str
    usage: str
    description: str
    created: float
    tags: dict[str, str]
    private_key: Any = attrs.field(repr=False)
    state: Eventual[str] = attrs.field(factory=lambda: Eventual(ENABLED), repr=False)
    exists: Eventual[bool] = attrs.field(factory=lambda: Eventual(True), repr=False)
    deleted_at: float | None = None

    @property
    def facts(self) -> KeySpec:
        """What KMS says of keys of this spec."""
        return KEY_SPECS[self.spec]

    @property
    def signing_algorithms(self) -> tuple[str, ...]:
        """The algorithms it signs with: none if it is for encryption."""
        return self.facts.signing_algorithms if self.usage == "SIGN_VERIFY" else ()

    @property
    def public_key_der(self) -> bytes:
        """Its public key as DER SubjectPublicKeyInfo, which is what GetPublicKey answers."""
        der: bytes = self.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return der

    @property
    def public_key(self) -> PublicKey:
        """Its public key, for algorithms that signer-core has."""
        return PublicKey.from_der(self.public_key_der)

    def sign(self, message: bytes, algorithm: str, message_type: str = "RAW") -> bytes:
        """The signature that KMS would answer."""
        sign = self.facts.sign
        if sign is None:
            raise ValueError(f"keys of {self.spec} do not sign")
        return sign(self.private_key, algorithm, message_type, message)

    def enable(self) -> None:
        """Let it sign again."""
        self.state.set(ENABLED)

    def disable(self) -> None:
        """As DisableKey."""
        self.state.set(DISABLED)

    def schedule_deletion(self) -> None:
        """As ScheduleKeyDeletion, in thirty days."""
        self.deleted_at = self.created + 30 * DAY
        self.state.set(PENDING_DELETION)
