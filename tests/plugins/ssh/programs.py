"""The programs of the tests: those that are installed with signer-ssh, and OpenSSH's and git."""

import contextlib
import os
import pwd
import shlex
import socket
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.cli.conftest import unmeasured
from tests.peers import which

SIGN, AGENT = (Path(sysconfig.get_path("scripts"), name) for name in ("signer-ssh-sign", "signer-ssh-agent"))

#: Seconds that no program here takes unless it hangs.
PATIENCE = 60


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """What a program did, whatever its exit status."""
    given = {"capture_output": True, "text": True, "timeout": PATIENCE, **options}
    return subprocess.run([str(each) for each in command], check=False, **given)


def output(*command: str | Path, **options: Any) -> str:
    """What a program that must succeed printed."""
    done = run(*command, **options)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}: {done.stdout}{done.stderr}"
    return str(done.stdout)


class RunningAgent:
    """``signer-ssh-agent`` in a process of its own, which serves at :attr:`socket`."""

    def __init__(self, process: subprocess.Popen[str], variables: Mapping[str, str], log: Path) -> None:
        self.process = process
        self.socket = variables["SSH_AUTH_SOCK"]
        self.variables = variables
        self._log = log

    def ssh_add(self, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """``ssh-add`` with this agent."""
        return run("ssh-add", *arguments, env={**os.environ, **self.variables}, stdin=subprocess.DEVNULL, **options)

    def end(self) -> None:
        """End it in order."""
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0

    @property
    def log(self) -> str:
        """What it wrote to standard error until now."""
        return self._log.read_text("utf-8")

    def facts(self) -> dict[str, int]:
        """What it holds of the system now: descriptors, threads, and memory in KiB (Linux)."""
        proc = Path("/proc", str(self.process.pid))
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        return {
            "descriptors": len(list((proc / "fd").iterdir())),
            "threads": int(status["Threads"]),
            "memory": int(status["VmRSS"].split()[0]),
        }


@contextlib.contextmanager
def running_agent(place: Path, *arguments: str | Path, **options: Any) -> Iterator[RunningAgent]:
    """An agent, not measured, that serves at ``place``/run/agent; ended in the end, if it was not before."""
    log = place / "agent.log"
    command = [AGENT, "-v", "--socket", place / "run" / "agent", *arguments]
    given = {"env": unmeasured(), **options}
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, **given) as process,
    ):
        try:
            assert process.stdout is not None
            said = process.stdout.read()  # it closes its output when it serves
            variables = dict(each.split("=", 1) for each in shlex.split(said.replace(";", " ")) if "=" in each)
            assert variables, log.read_text("utf-8")
            yield RunningAgent(process, variables, log)
        finally:
            process.terminate()


class Sshd(NamedTuple):
    """A running sshd on loopback, to which one may log in by the keys in :attr:`authorized_keys`."""

    port: int
    known_hosts: Path
    authorized_keys: Path

    def command(self, agent: str, *options: str) -> list[str]:
        """How to log in with the keys of the agent at this socket and no others."""
        named = {
            "IdentityAgent": agent,
            "IdentityFile": "/dev/null",
            "BatchMode": "yes",
            "UserKnownHostsFile": str(self.known_hosts),
            "StrictHostKeyChecking": "yes",
        }
        given = [word for name, value in named.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-F", "none", "-p", str(self.port), *given, *options, f"{user()}@127.0.0.1"]

    def login(self, agent: str, *options: str, command: str = "echo hello") -> subprocess.CompletedProcess[str]:
        """Log in so, to run a command."""
        return run(*self.command(agent, *options), command, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def running_sshd(place: Path, *, host_key: str = "ed25519") -> Iterator[Sshd]:
    """An sshd of this user, with a host key of its own."""
    place.mkdir()
    output("ssh-keygen", "-q", "-t", host_key, "-N", "", "-f", place / "host_key")
    (place / "authorized_keys").touch()
    lines = (
        f"HostKey {place}/host_key",
        f"AuthorizedKeysFile {place}/authorized_keys",
        f"PidFile {place}/pid",
        "UsePAM no",
        "StrictModes no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
    )
    (place / "sshd_config").write_text("".join(f"{line}\n" for line in lines))
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # sshd insists on it, and the system makes it for its own service only
    with contextlib.ExitStack() as running:
        port = next(port for port in map(_free_port, range(10)) if running.enter_context(_listening_sshd(place, port)))
        public = " ".join((place / "host_key.pub").read_text().split()[:2])
        (place / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
        yield Sshd(port, place / "known_hosts", place / "authorized_keys")


@contextlib.contextmanager
def _listening_sshd(place: Path, port: int) -> Iterator[bool]:
    """Whether sshd could have the port: it may have been taken meanwhile."""
    command = [
        str(which("sshd")),
        "-D",
        "-e",
        "-f",
        str(place / "sshd_config"),
        "-o",
        f"ListenAddress=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield any(line.startswith("Server listening") for line in process.stderr)
        finally:
            process.terminate()


def user() -> str:
    """The name of the user who runs the tests."""
    return pwd.getpwuid(os.geteuid()).pw_name


def _free_port(_: object = None) -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
