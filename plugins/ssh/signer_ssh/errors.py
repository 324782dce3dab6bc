"""What is wrong with a request; both are :class:`~signer_core.errors.SignerError`."""

from signer_core.errors import SignerError


class MalformedError(SignerError):
    """Bytes that are not what they should be."""

    code = "ssh-malformed"


class RefusedError(SignerError):
    """Something that is well-formed, and not done."""

    code = "ssh-refused"
