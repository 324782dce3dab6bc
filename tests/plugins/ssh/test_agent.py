"""What the agent answers, whatever it is asked: here without a socket."""

import asyncio
import logging
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm, Deadline, Signer, SigningKey
from signer_core.errors import KeyUnavailableError
from signer_noop import NoopKey
from signer_ssh.agent import Agent
from signer_ssh.bindings import Bindings
from signer_ssh.keys import NAMES, encode_key, verify
from signer_ssh.messages import FAILURE, MAX_BYTES, SUCCESS
from signer_ssh.sshsig import SignedData
from signer_ssh.wire import Reader, boolean, string, text
from tests.keys import Ed25519Key, ScriptedKey
from tests.plugins.ssh.keys import FLAGS, SESSION_ID, authentication, public_key, sign_request, signer
from tests.plugins.ssh.test_bindings import session
from tests.strategies import mutated, private_key

KEY = encode_key(public_key())
LIST = bytes([11])
FILE = SignedData("git", "sha512", bytes(64)).encoded()

every_algorithm = pytest.mark.parametrize("algorithm", NAMES)


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "signer_ssh")


def answers(*requests: bytes, signers: Sequence[Signer] = (), namespaces: Sequence[str] = ()) -> list[bytes]:
    """What the agent answers on one connection."""

    async def ask() -> list[bytes]:
        agent, bindings = Agent(signers or [mine], namespaces=namespaces), Bindings()
        return [await agent.answer(request, bindings) for request in requests]

    with signer() as mine:
        return asyncio.run(ask())


def listed(answer: bytes) -> list[tuple[bytes, str]]:
    reader = Reader(answer)
    assert reader.byte() == 12
    found = [(reader.string(), reader.text()) for _ in range(reader.uint32())]
    reader.end()
    return found


def signed(answer: bytes) -> bytes:
    reader = Reader(answer)
    assert reader.byte() == 14
    signature = reader.string()
    reader.end()
    return signature


def test_it_lists_the_keys_with_their_names() -> None:
    with signer(name="work") as work, signer(Algorithm.ECDSA_P256_SHA256, name=None) as nameless:
        (answer,) = answers(LIST, signers=[work, nameless])
        assert listed(answer) == [
            (KEY, "work"),
            (encode_key(public_key(Algorithm.ECDSA_P256_SHA256)), nameless.key_id),
        ]


def test_the_name_of_a_key_steers_no_terminal() -> None:
    with Signer(Ed25519Key(key_id="evil\n\x1b[2J\udcff")) as evil:
        ((_, comment),) = listed(answers(LIST, signers=[evil])[0])
    assert comment == r"evil \x1b[2J\udcff"


@every_algorithm
def test_it_signs_a_login(algorithm: Algorithm) -> None:
    name, key = NAMES[algorithm], encode_key(public_key(algorithm))
    data = authentication(algorithm)
    with signer(algorithm) as mine:
        (answer,) = answers(sign_request(key, data, FLAGS.get(name, 0)), signers=[mine])
    verify(key, signed(answer), data)
    assert Reader(signed(answer)).text() == name


def test_it_signs_a_login_at_a_known_host() -> None:
    data = authentication(host_key=encode_key(public_key(number=2)))
    (answer,) = answers(sign_request(KEY, data))
    verify(KEY, signed(answer), data)


@every_algorithm
def test_it_signs_a_file_in_an_allowed_namespace(algorithm: Algorithm) -> None:
    key = encode_key(public_key(algorithm))
    with signer(algorithm) as mine:
        request = sign_request(key, FILE, FLAGS.get(NAMES[algorithm], 0))
        (answer,) = answers(request, signers=[mine], namespaces=["file", "git"])
    verify(key, signed(answer), FILE)


@pytest.mark.parametrize("namespaces", [[], ["file"], ["gi"], ["git2"], ["*"]])
def test_it_signs_no_file_in_another_namespace(namespaces: list[str], caplog: pytest.LogCaptureFixture) -> None:
    assert answers(sign_request(KEY, FILE), namespaces=namespaces) == [FAILURE]
    assert "a file was to be signed in the namespace 'git'; if it is meant: --allow-namespace git" in caplog.text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"block header",
        bytes(32),
        text("a transaction"),
        authentication() + b"\0",
        b"SSHSIG and something else",
        FILE + b"\0",
    ],
)
def test_it_signs_no_other_bytes(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert answers(sign_request(KEY, data), namespaces=["git"]) == [FAILURE]
    assert caplog.records[-1].levelname == "WARNING"


@given(st.data())
def test_whatever_is_signed_is_a_login_by_that_key_or_an_allowed_file(data: st.DataObject) -> None:
    content = data.draw(mutated(authentication()) | mutated(FILE) | st.binary(max_size=100))
    (answer,) = answers(sign_request(KEY, content), namespaces=["git"])
    if answer != FAILURE:
        assert KEY in content or content.startswith(b"SSHSIG" + text("git"))
        verify(KEY, signed(answer), content)


@given(st.binary(max_size=200) | mutated(sign_request(KEY, authentication())))
def test_it_has_an_answer_to_everything(request: bytes) -> None:
    (answer,) = answers(request)
    assert answer[0] in (5, 6, 12, 14)


def test_it_signs_by_listed_keys_only(caplog: pytest.LogCaptureFixture) -> None:
    other = encode_key(public_key(number=2))
    assert answers(sign_request(other, authentication(number=2))) == [FAILURE]
    assert "a key that is not listed was to sign" in caplog.text


def test_it_does_not_sign_the_login_of_another_key(caplog: pytest.LogCaptureFixture) -> None:
    assert answers(sign_request(KEY, authentication(number=2))) == [FAILURE]
    assert "the login of another key" in caplog.text


@pytest.mark.parametrize("flags", [1, 8, 2**31 | FLAGS["rsa-sha2-512"]])
def test_what_is_asked_for_by_an_unknown_flag_is_not_signed_otherwise(
    flags: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert answers(sign_request(KEY, authentication(), flags)) == [FAILURE]
    assert f"a signature was asked for with the flags {flags:#x}" in caplog.text


@pytest.mark.parametrize("flags", [0, FLAGS["rsa-sha2-256"]])
def test_rsa_signs_with_the_configured_hash_only(flags: int, caplog: pytest.LogCaptureFixture) -> None:
    """Without a flag it is SHA-1 that is asked for."""
    algorithm = Algorithm.RSA_PKCS1V15_SHA512
    key = encode_key(public_key(algorithm))
    with signer(algorithm) as mine:
        assert answers(sign_request(key, FILE, flags), signers=[mine], namespaces=["git"]) == [FAILURE]
    assert "otherwise than with rsa-sha2-512" in caplog.text


def test_rsa_signs_no_login_that_names_another_hash() -> None:
    configured, other = Algorithm.RSA_PKCS1V15_SHA512, Algorithm.RSA_PKCS1V15_SHA256
    key = encode_key(public_key(configured))
    with signer(configured) as mine:
        for flags in (FLAGS["rsa-sha2-256"], FLAGS["rsa-sha2-512"], sum(FLAGS.values())):
            assert answers(sign_request(key, authentication(other), flags), signers=[mine]) == [FAILURE]


def test_an_rsa_key_for_both_hashes_is_listed_once_and_signs_with_either() -> None:
    algorithms = Algorithm.RSA_PKCS1V15_SHA256, Algorithm.RSA_PKCS1V15_SHA512
    key = encode_key(public_key(algorithms[0]))
    with signer(algorithms[0], name="short") as one, signer(algorithms[1], name="long") as other:
        requests = [sign_request(key, authentication(each), sum(FLAGS.values())) for each in algorithms]
        found, *signatures = answers(LIST, *requests, signers=[one, other])
    assert listed(found) == [(key, "short")]
    assert [Reader(signed(each)).text() for each in signatures] == ["rsa-sha2-256", "rsa-sha2-512"]


NOT_SERVED = {
    "SSH1 list": 1,
    "remove": 18,
    "remove all": 19,
    "add": 17,
    "add with constraints": 25,
    "add from a card": 20,
    "remove from a card": 21,
    "add from a card with constraints": 26,
    "lock": 22,
    "unlock": 23,
    "none such": 255,
}


@pytest.mark.parametrize("number", NOT_SERVED.values(), ids=NOT_SERVED)
def test_it_takes_no_keys_and_gives_none_away(number: int, caplog: pytest.LogCaptureFixture) -> None:
    before, answer, after = answers(LIST, bytes([number]) + string(KEY) + text("password"), LIST)
    assert answer == FAILURE
    assert before == after
    assert f"requests of the kind {number} are not served" in caplog.text


@pytest.mark.parametrize("request_", [b"", LIST + b"\0", bytes([13]), bytes([27]), bytes([27]) + text("query")])
def test_what_is_malformed_or_not_known_fails(request_: bytes) -> None:
    assert answers(request_) == [FAILURE]


def test_a_client_may_bind_its_connection() -> None:
    bind = session()
    content = string(bind.host_key) + string(bind.session_id) + string(bind.signature) + boolean(False)
    request = bytes([27]) + text("session-bind@openssh.com") + content
    other = sign_request(KEY, authentication(session_id=bytes(32)))
    bound, again, mine, wrong = answers(request, request, sign_request(KEY, authentication()), other)
    assert (bound, again, wrong) == (SUCCESS, FAILURE, FAILURE)
    verify(KEY, signed(mine), authentication(session_id=SESSION_ID))


def test_what_the_signer_refuses_is_a_failure_and_the_agent_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    key = ScriptedKey([KeyUnavailableError("the key is disabled"), ZeroDivisionError("a fault of a backend")])
    encoded = encode_key(key.public_key)
    data = authentication().replace(KEY, encoded)
    with Signer(key) as mine:
        first, second, third = answers(*[sign_request(encoded, data)] * 3, signers=[mine])
    assert (first, second) == (FAILURE, FAILURE)
    verify(encoded, signed(third), data)
    assert "refused: the key is disabled" in caplog.text


def test_an_unexpected_error_is_a_failure(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("signer_ssh.messages.identities", broken)
    assert answers(LIST, sign_request(b"", b"")) == [FAILURE, FAILURE]
    assert "refused: unexpected ZeroDivisionError" in caplog.text


class ReplacedKey(Ed25519Key):
    """A key whose name means another one from now on."""

    renew_after = 0.001
    successor: SigningKey

    def renew(self, deadline: Deadline) -> SigningKey:
        return self.successor


@pytest.mark.parametrize("successor", [Algorithm.ED25519, Algorithm.ECDSA_SECP256K1_SHA256])
def test_a_key_that_is_replaced_signs_nothing_for_the_old_one(
    successor: Algorithm, caplog: pytest.LogCaptureFixture
) -> None:
    """And is listed from then on, if SSH has its kind."""
    now = [0.0]
    old = ReplacedKey()
    old.successor = NoopKey(private_key(successor, 3), successor, reopens=True)
    encoded = encode_key(old.public_key)
    with Signer(old, name="mine", clock=lambda: now[0]) as mine:

        async def ask() -> tuple[bytes, bytes]:
            agent, bindings = Agent([mine]), Bindings()
            now[0] = 1.0
            answer = await agent.answer(sign_request(encoded, authentication().replace(KEY, encoded)), bindings)
            return answer, await agent.answer(LIST, bindings)

        refused, found = asyncio.run(ask())
    assert refused == FAILURE
    assert caplog.records[-1].levelname == "WARNING"
    assert listed(found) == ([(encode_key(public_key(number=3)), "mine")] if successor in NAMES else [])


def test_a_message_has_at_most_as_many_bytes_as_openssh_s() -> None:
    assert MAX_BYTES == 262144
