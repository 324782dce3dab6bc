"""``signer-ssh-agent`` as a process, with OpenSSH's ``ssh-add`` and clients of any kind."""

import functools
import os
import re
import resource
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from signer_core import Algorithm
from signer_ssh.keys import NAMES, encode_key, verify
from signer_ssh.messages import FAILURE
from signer_ssh.wire import string, uint32
from tests.keys import in_child
from tests.plugins.ssh.keys import FLAGS, authentication, public_key, sign_request, write_key
from tests.plugins.ssh.programs import AGENT, PATIENCE, RunningAgent, output, run, running_agent
from tests.plugins.ssh.test_agent import LIST, listed, signed

ssh_add = pytest.mark.peer("ssh-add")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with two keys that SSH has, and one that it has not."""
    path = tmp_path / "signer.toml"
    keys = {
        "first": write_key(tmp_path),
        "second": write_key(tmp_path, Algorithm.RSA_PKCS1V15_SHA512),
        "chain": write_key(tmp_path, Algorithm.ECDSA_SECP256K1_SHA256),
    }
    path.write_text("".join(f"[signers.{name}]\n{table}" for name, table in keys.items()))
    return path


@pytest.fixture
def agent(config: Path, tmp_path: Path) -> Iterator[RunningAgent]:
    with running_agent(tmp_path, "--config", config) as running:
        yield running


class Client:
    """A client that sends what it likes."""

    def __init__(self, path: str) -> None:
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(path)  # waits where many others do
        self.connection.settimeout(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def receive(self, size: int) -> bytes:
        received = b""
        while len(received) < size and (more := self.connection.recv(size - len(received))):
            received += more
        return received

    def answer(self) -> bytes:
        return self.receive(int.from_bytes(self.receive(4), "big"))

    def ask(self, request: bytes) -> bytes:
        self.send(string(request))
        return self.answer()


def test_a_crash_leaves_no_core_dump_with_keys_in_it(config: Path, tmp_path: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    allowed = functools.partial(resource.setrlimit, resource.RLIMIT_CORE, (hard, hard))
    with running_agent(tmp_path, "--config", config, preexec_fn=allowed) as running:
        assert resource.prlimit(running.process.pid, resource.RLIMIT_CORE) == (0, 0)


@ssh_add
def test_ssh_add_lists_the_keys_that_ssh_has(agent: RunningAgent) -> None:
    keys = {"chain": None, "first": public_key(), "second": public_key(Algorithm.RSA_PKCS1V15_SHA512)}
    lines = [f"{key.to_openssh().decode()} {name}" for name, key in keys.items() if key is not None]
    assert agent.ssh_add("-L").stdout.splitlines() == lines
    assert agent.ssh_add("-l").stdout.splitlines()[0].startswith("256 SHA256:")
    assert "warning: left out: " in agent.log
    assert "[signers.chain]: SSH has no signatures with ecdsa-secp256k1-sha256" in agent.log


@ssh_add
@pytest.mark.peer("ssh-keygen")
def test_it_takes_no_key_and_gives_none_away(agent: RunningAgent, tmp_path: Path) -> None:
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "theirs")
    before = agent.ssh_add("-L").stdout
    askpass = tmp_path / "askpass"
    askpass.write_text("#!/bin/sh\necho word\n")
    askpass.chmod(0o700)
    for arguments in ([tmp_path / "theirs"], ["-D"], ["-d", tmp_path / "theirs"], ["-t", "60", tmp_path / "theirs"]):
        assert agent.ssh_add(*arguments).returncode != 0
    for lock in ("-x", "-X"):
        asked = {**os.environ, **agent.variables, "SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"}
        assert run("ssh-add", lock, env=asked).returncode != 0
    assert agent.ssh_add("-L").stdout == before


@ssh_add
@pytest.mark.peer("ssh-keygen")
def test_ssh_add_tests_that_it_signs_and_is_refused(agent: RunningAgent, tmp_path: Path) -> None:
    """`ssh-add -T` has random bytes signed, which could be anything."""
    (tmp_path / "first.pub").write_bytes(public_key().to_openssh() + b"\n")
    assert agent.ssh_add("-T", tmp_path / "first.pub").returncode == 1
    assert "bytes were to be signed that are neither a login nor a file's" in agent.log


def test_it_serves_the_named_signers_alone(config: Path, tmp_path: Path) -> None:
    with (
        running_agent(tmp_path, "-c", config, "--signer", "second") as agent,
        Client(agent.socket) as client,
    ):
        assert [name for _, name in listed(client.ask(LIST))] == ["second"]


def test_the_socket_is_for_its_user_alone(agent: RunningAgent) -> None:
    path = Path(agent.socket)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_other_users_are_refused_even_if_they_find_it(agent: RunningAgent) -> None:
    """Another user there is only for root; anybody else is the agent's own user."""
    path = Path(agent.socket)
    path.parent.chmod(0o777)
    path.chmod(0o777)

    def ask() -> None:
        os.chdir(path.parent)  # those above are not for others
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        with Client(path.name) as client:
            if os.geteuid() == 65534:
                assert client.receive(1) == b""
            else:
                assert len(listed(client.ask(LIST))) == 2

    assert in_child(ask) == 0
    with Client(agent.socket) as client:
        assert len(listed(client.ask(LIST))) == 2
    assert ("refused a client: it is one of another user, of the number 65534" in agent.log) is (os.geteuid() == 0)


def test_it_goes_on_when_nobody_reads_its_log_any_more(config: Path, tmp_path: Path) -> None:
    command = [str(AGENT), "-v", "--config", str(config), "--socket", str(tmp_path / "run" / "agent")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read()  # it closes its output when it serves
            process.stderr.close()
            key = encode_key(public_key())
            with Client(str(tmp_path / "run" / "agent")) as client:
                assert client.ask(sign_request(key, b"a block")) == FAILURE
                data = authentication()
                verify(key, signed(client.ask(sign_request(key, data))), data)
        finally:
            process.terminate()
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_order_whatever_its_clients_do(number: signal.Signals, agent: RunningAgent) -> None:
    with Client(agent.socket) as idle, Client(agent.socket) as client:
        client.send(b"\0")
        agent.process.send_signal(number)
        assert agent.process.wait(PATIENCE) == 0
        assert (idle.receive(1), client.receive(1)) == (b"", b"")
    assert list(Path(agent.socket).parent.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_its_parent_ignores_is_ignored(number: signal.Signals, config: Path, tmp_path: Path) -> None:
    """A shell does so for what runs beside it, where Ctrl-C is meant for others; and nohup."""
    place = tmp_path / "run" / "agent"
    script = f'trap "" {number.name[3:]}; exec "$@"'
    with subprocess.Popen(
        ["sh", "-c", script, "sh", AGENT, "--config", config, "--socket", place], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read()
        (ignored,) = re.findall(r"^SigIgn:\s*(\w+)$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
        process.terminate()
    assert process.returncode == 0
    assert int(ignored, 16) & 1 << (number - 1)


def test_one_that_was_killed_is_followed_by_another(agent: RunningAgent, config: Path, tmp_path: Path) -> None:
    agent.process.kill()
    agent.process.wait(PATIENCE)
    assert Path(agent.socket).is_socket()
    with running_agent(tmp_path, "--config", config) as another, Client(another.socket) as client:
        assert len(listed(client.ask(LIST))) == 2


def test_two_do_not_serve_at_one_place(agent: RunningAgent, config: Path) -> None:
    done = run(AGENT, "--config", config, "--socket", agent.socket)
    assert done.returncode == 1
    assert f"error: an agent serves at {agent.socket} already" in done.stderr
    with Client(agent.socket) as client:
        assert len(listed(client.ask(LIST))) == 2


def test_a_shell_goes_on_when_it_serves(config: Path, tmp_path: Path) -> None:
    """What it prints is evaluated, however the path is spelled."""
    place = tmp_path / "a b'c"
    script = 'eval "$("$0" --config "$1" --socket "$2" &)" && echo "$SSH_AUTH_SOCK" && kill "$SSH_AGENT_PID"'
    assert output("sh", "-c", script, AGENT, config, place / "agent") == f"{place}/agent\n"


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--socket", "run/agent", "--signer", "third"], 1, "its signers are: chain, first, second"),
        (["--socket", "run/agent", "--signer", "chain"], 1, "SSH has no signatures with ecdsa-secp256k1-sha256"),
        (["--socket", "/tmp/agent"], 1, "others own or may enter"),
        (["--socket", "signer.toml"], 1, "others own or may enter"),
        ([], 2, "Missing option '--socket'"),
    ],
)
def test_what_is_wrong_is_told_at_the_start(
    arguments: list[str], status: int, told: str, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    config.parent.chmod(0o755)
    done = run(AGENT, "--config", config, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr


def test_a_key_that_cannot_be_opened_is_told_at_the_start(config: Path, tmp_path: Path) -> None:
    with config.open("a") as file:
        file.write('[signers.gone]\nbackend = "file"\npath = "gone.pem"\n')
    done = run(AGENT, "--config", config, "--socket", tmp_path / "run" / "agent")
    assert done.returncode == 1
    assert "gone.pem" in done.stderr
    assert not (tmp_path / "run").exists()


def test_without_a_configuration_it_does_not_take_one_that_lies_here(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    done = run(AGENT, "--socket", tmp_path / "run" / "agent")
    assert done.returncode == 1
    assert f"there is no configuration file {tmp_path}/home/.config/signer/signer.toml" in done.stderr


@pytest.mark.slow
def test_ten_thousand_requests_of_all_kinds_leave_nothing_behind(agent: RunningAgent) -> None:
    rsa = Algorithm.RSA_PKCS1V15_SHA512
    key, rsa_key, data = encode_key(public_key()), encode_key(public_key(rsa)), authentication()
    requests = [
        LIST,
        sign_request(key, data),
        sign_request(key, b"a block"),
        sign_request(encode_key(public_key(number=5)), data),
        b"",
        os.urandom(1000),
        bytes([17]) + os.urandom(5000),
    ]
    sign_by_rsa = sign_request(rsa_key, authentication(rsa), FLAGS[NAMES[rsa]])

    def ask(client: Client, number: int) -> None:
        answer = client.ask(requests[number % len(requests)])
        assert answer[0] == {0: 12, 1: 14}.get(number % len(requests), FAILURE[0])

    def one_of_each() -> None:
        for begun in (b"", b"\0", b"\0\0\0\5", uint32(2**32 - 1) + bytes(100), string(LIST)[:-1], os.urandom(50_000)):
            with Client(agent.socket) as client:
                client.send(begun)

    with Client(agent.socket) as client:
        for number in range(1000):
            ask(client, number)
        one_of_each()
        verify(rsa_key, signed(client.ask(sign_by_rsa)), authentication(rsa))
        before = agent.facts()
        for number in range(10_000):
            ask(client, number)
        for _ in range(100):
            one_of_each()
        verify(key, signed(client.ask(sign_request(key, data))), data)
        while (after := agent.facts())["descriptors"] > before["descriptors"]:
            client.ask(LIST)  # the others are about to be left
    assert after["threads"] <= 1 + 2 * (os.cpu_count() or 1)  # that of the loop, and those of the two signers
    assert after["memory"] < before["memory"] + 10_000
    assert agent.process.poll() is None
    agent.end()


def test_help_and_version() -> None:
    assert "Usage: signer-ssh-agent" in output(AGENT, "--help")
    assert output(AGENT, "--version").startswith("signer-ssh-agent, version ")
