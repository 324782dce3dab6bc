"""ExtensionConformance: all tests of the kit for extensions in one class."""

from signer_core.testing.extension_breakage import BrokenExtension
from signer_core.testing.extension_calls import ExtensionCalls, Refusals
from signer_core.testing.extension_contract import ExtensionContract
from signer_core.testing.extension_secrecy import ExtensionSecrecy
from signer_core.testing.optional import OptionalTests


class ExtensionConformance(
    BrokenExtension, Refusals, ExtensionSecrecy, ExtensionCalls, ExtensionContract, OptionalTests
):
    """What must hold of every extension. A test class inherits it and brings fixtures.

    ``config`` (required)
        The extension's name and its table, as in the option ``extensions``: ``{"audit": {"path": "audit.jsonl"}}``.
    ``message``
        A message that the extension lets be signed; ``b"message"`` by default.
    ``refused_message``
        A message that it refuses. Without this fixture there are no tests about refusals.
    ``breakage``
        A way to break the extension: a pair of the error that it leads to, such as ``ExtensionError``, and a context
        manager within which the extension is broken. With ``params`` there are several, and the tests run with each.
        Without this fixture there are no tests about broken extensions.
    ``secrets``
        What must never show: a mapping of names to ``Secret``. By default the options of type ``Secret``, and the
        texts with ``repr=False``. At least 8 bytes each: a shorter one may turn up by chance.

    ``quick_imports`` are the packages, by their names in ``import``, that the plugin may import at once besides its own
    and those that the core needs.
    """

    optional = {"refused_message": Refusals, "breakage": BrokenExtension}  # noqa: RUF012
