"""What signers share: by which settings, for how long, and that one who opens waits for no other."""

import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from signer_aws_kms import account as account_module
from signer_aws_kms.account import Account
from signer_aws_kms.accounts import Accounts, open_account
from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.session import session_of
from signer_aws_kms.single_flight import HANGS_AFTER
from signer_aws_kms.testing import FakeKms
from signer_core import Deadline
from signer_core.errors import ConfigError, DeadlineExceededError
from tests.plugins.aws_kms.peers import PATIENCE, Clock
from tests.plugins.aws_kms.signers import ALIAS, opened
from tests.plugins.aws_kms.sources import landed

CONFIG = AwsKmsConfig(key_id=ALIAS)


def soon() -> Deadline:
    return Deadline.after(PATIENCE)


@pytest.mark.parametrize(
    "different", [{"max_connections": 3}, {"endpoint_url": "http://localhost:1"}, {"region": "eu-west-1"}]
)
def test_other_options_are_another_account(fake_kms: FakeKms, different: dict[str, Any]) -> None:
    account = open_account(CONFIG, soon())
    assert open_account(CONFIG, soon()) is account
    assert open_account(AwsKmsConfig(key_id=ALIAS, **different), soon()) is not account


@pytest.mark.parametrize(
    "name",
    ["REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT", "https_proxy", "NO_PROXY", "HOME", "BOTO_CONFIG"],
)
def test_other_settings_in_the_environment_are_another_account(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    account = open_account(CONFIG, soon())
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    another = open_account(CONFIG, soon())
    assert another is not account
    assert open_account(CONFIG, soon()) is another
    monkeypatch.undo()


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_other_content_of_awss_files_is_another_account(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    file = tmp_path / "file"
    monkeypatch.setenv(variable, str(file))
    account = open_account(CONFIG, soon())
    file.write_text("[default]\n")
    another = open_account(CONFIG, soon())
    assert another is not account
    assert open_account(CONFIG, soon()) is another


def test_a_session_that_was_given_is_an_account_of_its_own(fake_kms: FakeKms) -> None:
    session = boto3.Session()
    account = open_account(CONFIG, soon(), session=session)
    assert open_account(CONFIG, soon(), session=session) is account
    assert open_account(CONFIG, soon(), session=boto3.Session()) is not account
    assert open_account(CONFIG, soon()) is not account


def test_a_key_that_is_closed_twice_closes_no_connection_of_others(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    first, second = AwsKmsKey.open(ALIAS), AwsKmsKey.open(ALIAS)
    pool = first._account.pool
    for _ in range(3):
        first.close()
    second.sign(b"message", soon())
    assert fake_kms.connections_opened == 1
    assert len(pool._open) == 1
    second.close()
    assert len(pool._open) == 0


@pytest.fixture
def slow(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Slow":
    """Sessions of the profile "slow" are made when a test says so; those of "quick" at once."""
    config = tmp_path / "config"
    config.write_text("[profile slow]\n[profile quick]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    slow = Slow()
    monkeypatch.setattr(account_module, "session_of", slow)
    return slow


class Slow:
    def __init__(self) -> None:
        self.begun = 0
        #: Sessions that are begun from now on are made when this is set.
        self.gate = threading.Event()

    def __call__(self, config: AwsKmsConfig) -> Any:
        if config.profile == "slow":
            self.begun += 1
            self.gate.wait(PATIENCE)
        return session_of(config)


def of(profile: str) -> AwsKmsConfig:
    return AwsKmsConfig(key_id=ALIAS, profile=profile)


def test_a_session_that_is_slow_to_make_holds_up_no_other(slow: Slow) -> None:
    with pytest.raises(DeadlineExceededError):
        open_account(of("slow"), Deadline.after(0.05))
    assert open_account(of("quick"), soon()).place.region
    slow.gate.set()
    landed()


def test_who_does_not_have_an_account_in_time_is_not_told_to_look_at_the_network(slow: Slow) -> None:
    with pytest.raises(DeadlineExceededError, match=r"AWS's configuration not read in time; raise the timeout"):
        opened(profile="slow", timeout=0.05)
    slow.gate.set()
    landed()


def test_all_who_open_an_account_at_once_have_the_same(slow: Slow) -> None:
    accounts: list[Account] = []
    openers = [threading.Thread(target=lambda: accounts.append(open_account(of("slow"), soon()))) for _ in range(8)]
    for opener in openers:
        opener.start()
    slow.gate.set()
    for opener in openers:
        opener.join(PATIENCE)
    assert len(accounts) == 8
    assert len({id(account) for account in accounts}) == slow.begun == 1


def test_an_account_that_came_too_late_is_kept_for_the_next_attempt(slow: Slow) -> None:
    with pytest.raises(DeadlineExceededError):
        open_account(of("slow"), Deadline.after(0.05))
    slow.gate.set()
    landed()
    gc.collect()
    open_account(of("slow"), soon())
    assert slow.begun == 1


def given_up(accounts: Accounts, slow: Slow) -> None:
    with pytest.raises(DeadlineExceededError):
        accounts.open(of("slow"), None, Deadline.after(0.05))
    slow.gate.set()
    landed()


@pytest.mark.parametrize(
    "then",
    [
        lambda accounts, _: accounts.open(of("slow"), None, soon()),
        lambda _, clock: setattr(clock, "now", clock.now + 61),
    ],
    ids=["taken", "a minute is over"],
)
def test_an_account_that_was_kept_is_not_kept_any_more_when(
    slow: Slow, then: Callable[[Accounts, Clock], object]
) -> None:
    clock = Clock()
    accounts = Accounts(clock=clock)
    given_up(accounts, slow)
    then(accounts, clock)
    accounts.open(of("quick"), None, soon())
    gc.collect()
    assert not list(accounts._accounts)


def test_an_account_that_comes_after_another_was_made_instead_is_dropped(slow: Slow) -> None:
    clock = Clock()
    accounts = Accounts(clock=clock)
    with pytest.raises(DeadlineExceededError):
        accounts.open(of("slow"), None, Deadline.after(0.05))
    hanging, slow.gate = slow.gate, threading.Event()
    slow.gate.set()
    clock.now += HANGS_AFTER
    account = accounts.open(of("slow"), None, soon())
    hanging.set()
    landed()
    assert accounts.open(of("slow"), None, soon()) is account
    assert slow.begun == 2


def test_an_account_that_could_not_be_opened_is_opened_anew(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    raised = []
    for _ in range(2):
        with pytest.raises(ConfigError, match="profile") as caught:
            open_account(of("missing"), soon())
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    file.write_text("[profile missing]\n")
    assert open_account(of("missing"), soon()).place.region
