"""Opening a key in code, perhaps with a session of the user's own; what a configuration is held to holds here, too."""

from collections.abc import Mapping
from typing import Any

from signer_aws_kms.config import ATTEMPT_TIMEOUT, MAX_RETRIES, AwsKmsConfig
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.opening import account_of, open_with
from signer_core.attempts import Attempts
from signer_core.config import read
from signer_core.core_options import CORE_OPTIONS
from signer_core.deadline import Deadline
from signer_core.errors import ConfigError


def open_in_code(
    key_id: str, options: Mapping[str, Any], *, session: Any, timeout: float | str | None = None
) -> AwsKmsKey:
    """The key, with the retries that ``signer_open`` has from the core. Raises what that raises."""
    if session is not None and not callable(getattr(session, "get_credentials", None)):
        raise TypeError(f"session must be a boto3.Session, not {type(session).__name__}")
    if foreign := sorted(CORE_OPTIONS & options.keys()):
        raise ConfigError(
            f"AwsKmsKey.open has no option {foreign[0]!r}", remedy="it is one of the Signer that is made of the key"
        )
    settings = read({**options, "backend": "awskms", "key_id": key_id, "timeout": timeout})
    config = settings.backend_config(AwsKmsConfig)
    if session is not None and config.profile is not None:
        raise ConfigError(
            "AwsKmsKey.open was given both session and profile", remedy="make the session with that profile"
        )
    attempts = Attempts(
        timeout=settings.core_options().timeout, attempt_timeout=ATTEMPT_TIMEOUT, max_retries=MAX_RETRIES
    )

    def attempt(deadline: Deadline) -> AwsKmsKey:
        return open_with(account_of(config, deadline, session=session), config, deadline)

    return attempts.run(attempt, attempts.deadline(None, None))
