import pytest

from signer_core import Deadline, SigningKey
from signer_core.attempts import Attempts
from signer_core.current_key import CurrentKey
from signer_core.errors import SignerClosedError
from signer_core.open_key import OpenKey
from signer_core.way import way_to_sign
from tests.keys import OTHER_SEED, Clock, Ed25519Key, RenewingKey

NOW = Deadline.after(None)


def current(key: SigningKey, clock: Clock | None = None) -> CurrentKey:
    attempts = Attempts(clock=clock or Clock())

    def accept(key: SigningKey) -> OpenKey:
        way = way_to_sign(key, attempts, verify=False)
        return OpenKey(key, way, way)

    return CurrentKey(key, accept=accept, attempts=attempts, owner="test")


def test_whether_it_is_renewed_is_decided_by_the_first_key() -> None:
    assert current(RenewingKey()).is_renewed is True
    assert current(Ed25519Key()).is_renewed is False


def test_key_that_is_not_renewed_is_entered_as_it_is() -> None:
    key = current(Ed25519Key())
    assert key.enter_renewed("call", NOW) is key.open_key
    assert key.open_key.calls == {"call"}


def test_call_that_enters_a_renewed_key_has_left_the_old_one() -> None:
    clock = Clock()
    old, new = RenewingKey(), Ed25519Key(OTHER_SEED)
    old.renewal = lambda _: new
    key = current(old, clock)
    first = key.open_key
    clock.advance(10)
    entered = key.enter_renewed("call", NOW)
    assert (entered.key, entered.calls, first.calls) == (new, {"call"}, set())
    assert old.closed == 1


def test_call_leaves_when_it_is_interrupted_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    key = current(RenewingKey())
    monkeypatch.setattr("signer_core.renewal.Renewal.renew_if_due", interrupted)
    with pytest.raises(KeyboardInterrupt):
        key.enter_renewed("call", NOW)
    key.leave("call")
    assert key.open_key.calls == set()
    key.close()


def test_call_that_was_in_before_the_close_goes_on_with_what_it_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal replaces the key, and the signer is closed, while the call waits: its first key is still open."""
    old, new = RenewingKey(), Ed25519Key(OTHER_SEED)
    key = current(old)

    def replaced_and_closed(*_: object) -> None:
        key._replace(new)
        key._closed = True
        key.open_key.retire()

    monkeypatch.setattr("signer_core.renewal.Renewal.renew_if_due", replaced_and_closed)
    entered = key.enter_renewed("call", NOW)
    assert (entered.key, old.closed, new.closed) == (old, 0, 1)
    entered.leave("call")
    assert old.closed == 1


def test_call_that_finds_the_newest_key_replaced_takes_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    old, second, third = RenewingKey(), Ed25519Key(OTHER_SEED), Ed25519Key()
    key = current(old)
    enter = OpenKey.enter

    def overtaken(open_key: OpenKey, call: object) -> bool:
        if open_key.key is second:
            key._replace(third)
        return enter(open_key, call)

    monkeypatch.setattr("signer_core.renewal.Renewal.renew_if_due", lambda *_: key._replace(second))
    monkeypatch.setattr(OpenKey, "enter", overtaken)
    assert key.enter_renewed("call", NOW).key is third
    assert (old.closed, second.closed, third.closed) == (1, 1, 0)


def test_call_that_finds_its_key_replaced_takes_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = RenewingKey(), Ed25519Key(OTHER_SEED)
    key = current(old)
    enter = OpenKey.enter

    def overtaken(open_key: OpenKey, call: object) -> bool:
        if open_key.key is old:
            key._replace(new)
        return enter(open_key, call)

    monkeypatch.setattr(OpenKey, "enter", overtaken)
    assert key.enter("call").key is new


def test_closed_key_is_not_replaced_and_the_new_one_is_closed() -> None:
    old, new = RenewingKey(), Ed25519Key(OTHER_SEED)
    key = current(old)
    key.close()
    with pytest.raises(SignerClosedError):
        key._replace(new)
    assert (old.closed, new.closed) == (1, 1)


@pytest.mark.parametrize("key", [Ed25519Key(), RenewingKey()])
def test_forked_child_of_a_closed_signer_has_nothing_to_close(key: Ed25519Key) -> None:
    current_key = current(key)
    current_key.close()
    current_key.forget_other_threads()
    current_key.close()
    assert key.closed == 1
    with pytest.raises(SignerClosedError):
        current_key.enter("call")


def test_replaced_key_whose_close_fails_is_logged_and_keeps_no_close_from_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stuck(RenewingKey):
        def close(self) -> None:
            super().close()
            raise OSError

    old, new = Stuck(), Ed25519Key(OTHER_SEED)
    key = current(old)
    key.enter("call")
    first = key.open_key
    key._replace(new)
    first.leave("call")
    key.close()
    assert (old.closed, new.closed) == (1, 1)
    assert [each.getMessage().rpartition(".")[2] for each in caplog.records][-1] == "Stuck failed to close: OSError"
