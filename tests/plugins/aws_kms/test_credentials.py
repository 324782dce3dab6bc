"""The credentials that requests are signed with: renewed in time, and a source that has none is not asked for each."""

import logging
import threading

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from signer_aws_kms.credentials import Credentials
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.sigv4 import Keys
from signer_aws_kms.testing import FakeKms
from signer_core import Deadline, Signer
from signer_core.errors import AccessDeniedError
from signer_core.testing.secrecy import told
from tests.plugins.aws_kms.peers import PATIENCE
from tests.plugins.aws_kms.signers import ALIAS
from tests.plugins.aws_kms.sources import Source, landed, no_threads

HOUR = 3600.0
#: Lifetimes in which botocore renews: while it goes on with what it has, and when it fails with the source.
SOON, AT_ONCE = 899.0, 590.0

REFUSED = ValueError("it printed wJalrXUtnFEMI")
AWAY = ConnectTimeoutError(endpoint_url="http://169.254.169.254")


class Used:
    """Credentials of a session in use, and the clock by which they are."""

    def __init__(self, kms: FakeKms, lifetime: float) -> None:
        self.source = Source(kms, lifetime=lifetime)
        self.clock = self.source.clock
        self.credentials = Credentials(self.source.session().get_credentials, clock=self.clock)
        self.first = self.current()
        self.source.asked = 0

    def current(self) -> Keys:
        return self.credentials.current(Deadline.after(PATIENCE))

    def pass_on(self, seconds: int) -> None:
        """Use them several times in each of so many seconds."""
        for _ in range(seconds):
            self.clock.now += 1
            for _ in range(3):
                self.current()
                landed()


def signer_of(session: boto3.Session) -> Signer:
    return Signer(AwsKmsKey.open(ALIAS, session=session), timeout=10)


def test_the_token_of_a_session_is_sent_and_signed(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=HOUR)
    with signer_of(source.session()) as signer:
        signer.sign(b"message")
    headers = fake_kms.received[-1].headers
    assert headers["x-amz-security-token"] == "token 0"
    assert "x-amz-security-token" in headers["authorization"]


def test_expired_credentials_are_renewed_before_the_call(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=-1)
    session = source.session()
    source.lifetime = HOUR
    with signer_of(session) as signer:
        signer.sign(b"message")
    assert fake_kms.received[-1].headers["x-amz-security-token"] == "token 1"


def test_credentials_that_are_good_for_long_are_not_renewed(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, HOUR)
    used.pass_on(60)
    assert used.source.asked == 0


def test_credentials_that_will_expire_are_renewed_while_signing_goes_on(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, SOON)
    used.source.lifetime = HOUR
    used.source.gate.clear()
    used.clock.now += 1
    assert used.current() is used.first  # though the source hangs
    used.source.gate.set()
    landed()
    assert used.current() != used.first
    used.pass_on(60)
    assert used.source.asked == 1


@pytest.mark.parametrize("lifetime", [SOON, AT_ONCE])
@pytest.mark.parametrize("error", [REFUSED, AWAY, SystemExit(1)])
def test_a_source_that_fails_is_asked_again_after_a_growing_pause(
    fake_kms: FakeKms, error: BaseException, lifetime: float
) -> None:
    used = Used(fake_kms, lifetime)
    used.source.error = error
    used.pass_on(300)
    assert used.source.asked == 10  # after 1, 2, 4, 8, 16, 32, 64, 124, 184 and 244 seconds
    assert used.current() is used.first


def test_a_source_that_has_nothing_new_is_asked_again_after_a_growing_pause(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, SOON)
    used.source.stale = True
    used.pass_on(300)
    assert used.source.asked == 10


def test_a_source_of_short_lived_credentials_is_not_asked_all_the_time(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, AT_ONCE)
    used.pass_on(300)
    assert used.source.asked == 10


def test_new_credentials_end_the_pauses(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, SOON)
    used.source.error = AWAY
    used.pass_on(20)
    used.source.error, used.source.lifetime = None, HOUR
    used.pass_on(20)
    assert used.current() != used.first
    used.clock.now += HOUR - SOON
    used.source.asked, used.source.error = 0, AWAY
    used.pass_on(2)
    assert used.source.asked == 2


def test_a_failed_renewal_is_logged_without_what_the_source_said(
    fake_kms: FakeKms, caplog: pytest.LogCaptureFixture
) -> None:
    used = Used(fake_kms, AT_ONCE)
    used.source.error = REFUSED
    with caplog.at_level(logging.WARNING, "signer_aws_kms"):
        used.pass_on(1)
    (said,) = [record.getMessage() for record in caplog.records if record.name == "signer_aws_kms"]
    assert "could not be renewed: ValueError" in said


@pytest.mark.parametrize(("error", "retryable"), [(REFUSED, False), (AWAY, True), (SystemExit(1), False)])
def test_a_failure_is_told_to_all_who_need_new_credentials_and_the_source_asked_once(
    fake_kms: FakeKms, error: BaseException, retryable: bool
) -> None:
    used = Used(fake_kms, HOUR)
    used.source.error = error
    used.clock.now += HOUR + 1
    raised = []
    for _ in range(20):
        with pytest.raises(AccessDeniedError, match="could not be renewed") as caught:
            used.current()
        raised.append(caught.value)
    assert used.source.asked == 1
    assert len(set(map(id, raised))) == 20
    assert {(each.retryable, each.retry_after) for each in raised} == {(retryable, 1.0 if retryable else None)}
    assert "wJalrXUtnFEMI" not in told(raised[0])


def test_credentials_that_are_needed_are_asked_for_every_five_seconds_at_last(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, SOON)
    used.source.error = AWAY
    used.pass_on(int(SOON) - 1)
    used.clock.now += 1
    used.source.asked = 0
    for _ in range(60):
        used.clock.now += 1
        with pytest.raises(AccessDeniedError):
            used.current()
    assert used.source.asked == 12
    used.source.error = None
    used.clock.now += 5
    assert used.current() != used.first


def test_a_call_waits_for_credentials_until_its_deadline(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, HOUR)
    used.source.gate.clear()
    used.clock.now += HOUR + 1
    with pytest.raises(TimeoutError):
        used.credentials.current(Deadline.after(0.05))
    used.source.gate.set()
    assert used.current() != used.first
    assert used.source.asked == 1


def test_without_threads_credentials_that_are_good_are_used(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, SOON)
    with no_threads():
        used.pass_on(60)
    assert used.source.asked == 0
    used.pass_on(60)
    assert used.source.asked > 0


def test_a_failure_when_a_key_is_opened_is_not_kept_from_the_next_attempt(fake_kms: FakeKms) -> None:
    source = Source(fake_kms, lifetime=-1)
    credentials = Credentials(source.session().get_credentials, clock=source.clock)
    source.error, source.lifetime = AWAY, HOUR
    with pytest.raises(AccessDeniedError, match="could not be found: ConnectTimeoutError") as caught:
        credentials.current(Deadline.after(PATIENCE))
    assert (caught.value.retryable, caught.value.retry_after) == (True, None)
    source.error = None
    assert credentials.current(Deadline.after(PATIENCE)).token == "token 1"


def test_many_calls_at_once_renew_once(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, HOUR)
    used.source.gate.clear()
    used.clock.now += HOUR + 1
    got: list[Keys] = []
    callers = [threading.Thread(target=lambda: got.append(used.current())) for _ in range(16)]
    for caller in callers:
        caller.start()
    used.source.gate.set()
    for caller in callers:
        caller.join(PATIENCE)
    assert len(got) == 16
    assert used.source.asked == 1


def test_a_refusal_while_they_are_renewed_aside_is_heeded(fake_kms: FakeKms) -> None:
    used = Used(fake_kms, SOON)
    used.source.stale = True
    used.source.gate.clear()
    used.clock.now += 1
    used.current()
    assert used.source.hangs.wait(PATIENCE)
    with pytest.raises(TimeoutError):
        used.credentials.replace(used.first, Deadline.after(0.05))
    used.source.gate.set()
    landed()
    assert used.source.asked == 2  # since it was time, and since AWS refuses what it gave
