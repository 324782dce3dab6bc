"""SigningKeyConformance: all tests of the kit in one class."""

from signer_core.testing.breakage import Broken
from signer_core.testing.contract import Contract
from signer_core.testing.digests import Digests
from signer_core.testing.identity import Identity
from signer_core.testing.lifetime import Lifetime
from signer_core.testing.openings import MissingKey, Openings, WrongSecret
from signer_core.testing.optional import OptionalTests
from signer_core.testing.secrecy import Secrecy
from signer_core.testing.sharing import Sharing
from signer_core.testing.signatures import Signatures


class SigningKeyConformance(
    Broken,
    WrongSecret,
    MissingKey,
    Secrecy,
    Lifetime,
    Sharing,
    Openings,
    Digests,
    Signatures,
    Identity,
    Contract,
    OptionalTests,
):
    """What must hold of every backend. A test class inherits it and brings fixtures.

    ``config`` (required)
        The mapping that ``create_signer`` takes, of a key that exists. Where it has the scope of the class, the module
        or the session, tests that only use a signer share one; else each opens its own.
    ``missing_config``
        The mapping of a key that does not exist: a new one for each test, since some of them make it. Without this
        fixture there are no tests about missing keys.
    ``wrong_secret_config``
        The mapping of the existing key, with a secret that does not open it. Without this fixture there are no tests
        about wrong secrets.
    ``breakage``
        A way to break the backend: a pair of the error that it leads to, and a context manager within which the backend
        is broken, such as ``(BackendUnavailableError, vault.stopped())``. With ``params`` there are several, and the
        tests run with each. Without this fixture there are no tests about broken backends.
    ``secrets``
        What must never show: a mapping of names to ``Secret``. By default the options of type ``Secret``, and the
        texts with ``repr=False``. At least 8 bytes each: a shorter one may turn up by chance.

    ``grace`` is the number of seconds that a call may take beyond its timeout. ``quick_imports`` are the packages, by
    their names in ``import``, that the plugin may import at once besides its own and those that the core needs.
    """

    optional = {"missing_config": MissingKey, "wrong_secret_config": WrongSecret, "breakage": Broken}  # noqa: RUF012
