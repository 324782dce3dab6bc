"""What is asked of KMS, and what errors must know to speak of it."""

import attrs


@attrs.frozen
class Asked:
    """One operation on one key."""

    operation: str
    key_id: str
    region: str
    #: The ARNs that a permission for it must name, where that is not the key alone.
    resources: tuple[str, ...] = ()
    #: For what must not be done twice: what to do when nobody knows whether it was done. None: it may be asked again.
    in_doubt: str | None = None

    def __str__(self) -> str:
        of = f" of {self.key_id}" if self.key_id else ""
        return f"KMS {self.operation}{of} in {self.region}"
