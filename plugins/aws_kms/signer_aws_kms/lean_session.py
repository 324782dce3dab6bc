"""Botocore's session, made sooner: imported only when one is needed, since botocore takes a while to import."""

from typing import Any

import botocore.session


class LeanSession(botocore.session.Session):  # type: ignore[misc]  # botocore has no types
    """A session without the hundreds of handlers of all services, which only clients have a use for.

    Where the chain of credentials needs a client, as for a role, a session of the ordinary kind makes it.
    """

    def __init__(self, profile: str | None) -> None:
        super().__init__(include_builtin_handlers=False, profile=profile)
        self._configured = profile

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """A client, by an ordinary session for the same profile."""
        return botocore.session.Session(profile=self._configured).create_client(*args, **kwargs)
