"""Where a signer's key came from: whom to name when it breaks the contract, and what opens it again."""

from typing import Any, Protocol

from signer_core.errors import PluginContractError


class Origin(Protocol):
    """Where a signer's key came from, and what opens it again in another process."""

    @property
    def remote(self) -> bool:
        """Whether a signature takes a network: then it waits more than it computes."""

    def broken(self, what: str) -> PluginContractError:
        """The error that names the plugin, after it broke the contract."""

    def reopening(self, fingerprint: str) -> tuple[Any, ...]:
        """What a pickle holds, as ``__reduce__`` gives it: a function that opens the signer again, and its arguments.

        The function raises :class:`~signer_core.errors.KeyMismatchError` if the key is not ``fingerprint``'s by then.
        """
