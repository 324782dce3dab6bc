"""AWS's chain of credentials, with a role that is assumed: renewed, looked through anew, hanging, in a forked child."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.credentials
import pytest
from botocore.exceptions import RefreshWithMFAUnsupportedError

from signer_aws_kms.chain import Chain, Found, found_anew
from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.credentials import Credentials
from signer_aws_kms.session import session_of
from signer_aws_kms.single_flight import HANGS_AFTER
from signer_aws_kms.testing import FakeKms
from signer_core import Deadline
from signer_core.errors import AccessDeniedError
from tests.plugins.aws_kms.peers import PATIENCE, Clock
from tests.plugins.aws_kms.roles import Role, role
from tests.plugins.aws_kms.signers import ALIAS
from tests.plugins.aws_kms.sources import landed

CONFIG = AwsKmsConfig(key_id=ALIAS)
#: A lifetime in which botocore renews, and fails with the source.
AT_ONCE = 590.0


class Used:
    """The credentials of the environment in use, and a clock for the pauses between questions."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.credentials = Credentials(
            session_of(CONFIG).get_credentials, find_anew=lambda: found_anew(CONFIG, None), clock=self.clock
        )
        self.token()

    def token(self) -> str | None:
        return self.credentials.current(Deadline.after(PATIENCE)).token

    def renew(self) -> None:
        """Let a second pass, in which they are renewed."""
        self.clock.now += 1
        self.token()
        landed()


@pytest.fixture
def assumed(fake_kms: FakeKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Role]:
    with role(fake_kms, tmp_path, monkeypatch, lifetime=AT_ONCE) as running:
        yield running


def test_a_role_is_renewed(assumed: Role) -> None:
    used = Used()
    assert (used.token(), used.credentials.method) == ("token 0", "assume-role")
    used.renew()
    assert used.token() == "token 1"


def test_a_role_that_cannot_be_assumed_any_more_is_looked_up_anew(assumed: Role) -> None:
    used = Used()
    assumed.rotate("base 1")  # the role's session would go on with the old one
    used.renew()
    assert used.token() == "token 1"


def test_a_role_that_nobody_may_assume_any_more_is_in_use_until_it_expires(
    assumed: Role, caplog: pytest.LogCaptureFixture
) -> None:
    used = Used()
    assumed.rotate_elsewhere()
    used.renew()
    assert used.token() == "token 0"
    assert "could not be renewed: AWS answered AssumeRole with InvalidClientTokenId" in caplog.text
    with pytest.raises(AccessDeniedError, match="AssumeRole with InvalidClientTokenId"):
        used.credentials.replace(assumed_keys(used), Deadline.after(PATIENCE))


def assumed_keys(used: Used) -> Any:
    return used.credentials.current(Deadline.after(PATIENCE))


def test_a_renewal_that_hangs_is_given_up_after_a_minute(assumed: Role) -> None:
    used = Used()
    assumed.answers.clear()
    used.clock.now += 1
    assert used.token() == "token 0"
    assert assumed.hangs.wait(PATIENCE)
    assumed.answers.set()
    used.clock.now += HANGS_AFTER - 1
    assert not renewed_in(used, 0.05)
    used.clock.now += 1
    assert renewed_in(used, PATIENCE)
    assert used.token() == "token 1"


def renewed_in(used: Used, seconds: float) -> bool:
    try:
        return used.credentials.replace(assumed_keys(used), Deadline.after(seconds))
    except TimeoutError:
        return False


def test_nobody_is_asked_for_the_code_of_an_mfa_device_while_signing_goes_on(
    fake_kms: FakeKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with role(fake_kms, tmp_path, monkeypatch, lifetime=AT_ONCE, mfa=True):
        found = found_anew(CONFIG, None)
        with pytest.raises(RefreshWithMFAUnsupportedError):  # else the code would be read from the terminal
            found.get_frozen_credentials()


def test_a_forked_child_takes_the_locks_of_a_session_of_the_users_own() -> None:
    """They may be held by threads that are only in the parent, and nothing is found anew for such a session."""
    base = botocore.credentials.DeferredRefreshableCredentials(dict, "a source")
    fetcher = botocore.credentials.AssumeRoleCredentialFetcher(None, base, "arn:aws:iam::111122223333:role/signer")
    outer = botocore.credentials.DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    for each in (base, outer):
        each._refresh_lock.acquire()
    Chain(lambda: outer).forget_other_threads(Found(object(), outer))  # type: ignore[arg-type]
    assert [each._refresh_lock.locked() for each in (base, outer)] == [False, False]
