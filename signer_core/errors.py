"""Every error that leaves the library.

One root, so that ``except SignerError`` catches all of it and nothing else::

    SignerError
    ├── ConfigError (ValueError)                 an option, a file or a secret reference is wrong
    ├── PluginError
    │   ├── BackendNotFoundError (LookupError)   no installed distribution serves that name
    │   ├── BackendConflictError                 two distributions claim it, or one is there twice
    │   └── PluginContractError                  a plugin broke the contract
    ├── KeyNotFoundError (LookupError)
    ├── KeyExistsError
    ├── KeyFormatError (ValueError)
    ├── WrongPassphraseError
    ├── KeyMismatchError                         not the key that was pinned
    ├── UnsupportedAlgorithmError
    ├── InvalidSignatureError                    what PublicKey.verify raises
    ├── SignerClosedError
    └── SignError
        ├── MessageTooLargeError (ValueError)
        ├── PolicyViolationError (PermissionError)
        ├── ExtensionError
        ├── AccessDeniedError (PermissionError)
        ├── KeyUnavailableError
        ├── BackendUnavailableError              transient; retryable
        ├── DeadlineExceededError (TimeoutError) retryable
        ├── SignCancelledError
        └── SignatureVerificationError           the backend's signature does not verify

Where a caller would expect a builtin, the error is one too. Every error pickles with its fields.
"""

from typing import ClassVar


class SignerError(Exception):
    """Something that the library refused or failed to do.

    ``message`` says what is wrong, ``remedy`` (or None) what to do about it; ``str()`` gives both. ``code`` is stable
    and made for programs; ``retryable`` says whether the same call may succeed later.

    Remedy: what ``remedy`` says.
    """

    code: ClassVar[str] = "signer"
    retryable: bool = False

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return self.message if self.remedy is None else f"{self.message}; {self.remedy}"


class ConfigError(SignerError, ValueError):
    """An option is unknown, missing, mistyped or in conflict; a file is missing or wrong; a secret cannot be had.

    Remedy: set the option right that the message names, in the table or file that it names.
    """

    code = "config"


class PluginError(SignerError):
    """A plugin cannot be used: another one is ``trusted``, an extension is not installed or is claimed more than once.

    Remedy: what the message says; ``signer backends --load`` shows what is installed, and whether it works.
    """

    code = "plugin"


class BackendNotFoundError(PluginError, LookupError):
    """No installed distribution serves the backend; ``installed`` lists the names that are served.

    Remedy: install the distribution that the message names, or set ``backend`` to a name that is served.
    """

    code = "backend-not-found"

    def __init__(self, message: str, *, remedy: str | None = None, installed: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.installed = installed


class BackendConflictError(PluginError):
    """Two distributions claim one name, or one is on the path twice. Remedy: uninstall all but one of them."""

    code = "backend-conflict"


class PluginContractError(PluginError):
    """A plugin does not do what the contract in :mod:`signer_core.hookspecs` asks.

    Remedy: upgrade the distribution that the message names, or tell its author.
    """

    code = "plugin-contract"


class KeyNotFoundError(SignerError, LookupError):
    """There is no key under that name or path. Remedy: ``signer init``, or the backend's own tools, make one."""

    code = "key-not-found"


class KeyExistsError(SignerError):
    """A key is already there and is not replaced. Remedy: use it, or choose another place for the new one."""

    code = "key-exists"


class KeyFormatError(SignerError, ValueError):
    """A key, or the file that holds it, is in no form that can be read. Remedy: restore a copy, or convert it."""

    code = "key-format"


class WrongPassphraseError(SignerError):
    """The passphrase does not open the key. Remedy: see where the option ``passphrase`` leads, and what is there."""

    code = "wrong-passphrase"


class KeyMismatchError(SignerError):
    """The key is not the one that ``expected_address``, ``expected_public_key`` or a pickled signer asks for.

    Remedy: find out why the name leads to another key; change the pin only if that is intended.
    """

    code = "key-mismatch"


class UnsupportedAlgorithmError(SignerError):
    """The algorithm, or what is asked of it, such as a digest or an encoding, is not supported.

    Remedy: what the message says, or a key with another algorithm.
    """

    code = "unsupported-algorithm"


class InvalidSignatureError(SignerError):
    """The signature does not belong to this message and public key. Remedy: do not trust the message."""

    code = "invalid-signature"


class SignerClosedError(SignerError):
    """The signer was closed. Remedy: open a new one."""

    code = "signer-closed"


class SignError(SignerError):
    """No signature came out; what could be said more precisely is one of the classes below it.

    A :class:`~signer_core.SigningKey` raises it or one of its subclasses. ``retryable`` overrides the class's own
    answer for this one error; ``retry_after`` is the shortest wait, in seconds, that the backend asked for.

    Remedy: what the message says.
    """

    code = "sign"
    retry_after: float | None = None

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        if retryable is not None:
            self.retryable = retryable
        self.retry_after = retry_after


class MessageTooLargeError(SignError, ValueError):
    """The message has ``size`` bytes where the key takes at most ``limit``; found before anything is sent.

    Remedy: sign its digest (:meth:`~signer_core.Signer.sign_digest`), if algorithm and backend do.
    """

    code = "message-too-large"

    def __init__(
        self, message: str, *, remedy: str | None = None, limit: int | None = None, size: int | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.limit = limit
        self.size = size


class PolicyViolationError(SignError, PermissionError):
    """An extension, the one named ``extension``, refused to let the message be signed.

    Remedy: sign what it allows, or have its configuration changed by who answers for it.
    """

    code = "policy-violation"
    extension: str | None = None


class ExtensionError(SignError):
    """An extension, the one named ``extension``, failed, so there is no signature; retryable if what it raised is.

    Remedy: put right what the message says that it raised, such as a full disk under an audit log.
    """

    code = "extension"
    extension: str | None = None


class AccessDeniedError(SignError, PermissionError):
    """The credentials or the permissions do not suffice. Remedy: grant what the message names."""

    code = "access-denied"


class KeyUnavailableError(SignError):
    """The key is there but does not sign: disabled, to be deleted, or meant for something else.

    Remedy: enable it with the backend's own tools, or configure another.
    """

    code = "key-unavailable"


class BackendUnavailableError(SignError):
    """The backend did not answer, or not usefully; after the last attempt the message says how many there were.

    Remedy: try later; if it lasts, see to the network and to the backend's own state.
    """

    code = "backend-unavailable"
    retryable = True


class DeadlineExceededError(SignError, TimeoutError):
    """The time budget of the call, or of one attempt, ran out. Remedy: try later, or allow a longer ``timeout``."""

    code = "deadline-exceeded"
    retryable = True


class SignCancelledError(SignError):
    """The caller's ``cancel`` event was set. Remedy: none is needed; the message may be signed anew."""

    code = "sign-cancelled"


class SignatureVerificationError(SignError):
    """The backend returned a signature that does not verify with its public key; it was thrown away.

    Remedy: sign again; if it happens twice, do not trust the backend.
    """

    code = "signature-verification"
