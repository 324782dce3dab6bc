"""``signer-ssh-agent``: an SSH agent in the foreground."""

import contextlib
import os
import shlex
import signal
from typing import TYPE_CHECKING

import click

from signer_core.cli.output import Command, write
from signer_core.cli.program import Program

if TYPE_CHECKING:
    from signer_ssh.agent import Agent


class _Agent(Program, Command):
    """Ends as ``signer`` does; what plugins print is not for the shell."""


@click.command(
    "signer-ssh-agent",
    cls=_Agent,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='`eval "$(signer-ssh-agent --socket PATH &)"` starts it beside a shell.',
)
@click.option(
    "--config",
    "-c",
    type=click.Path(),
    metavar="PATH",
    help="The configuration file.  [default: $SIGNER_CONFIG, else ~/.config/signer/signer.toml]",
)
@click.option(
    "--socket", "path", type=click.Path(), metavar="PATH", required=True, help="Where clients find it: SSH_AUTH_SOCK."
)
@click.option(
    "--signer", "-s", "names", multiple=True, metavar="NAME", help="Serve [signers.NAME] alone. May be repeated."
)
@click.option(
    "--allow-namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help="Sign files, too, for the purpose NAME, such as git. May be repeated.",
)
@click.option("-v", "verbosity", count=True, help="Tell more on stderr, such as each signature.")
@click.version_option(package_name="signer-ssh", prog_name="signer-ssh-agent")
def main(*, config: str | None, path: str, names: tuple[str, ...], namespaces: tuple[str, ...], verbosity: int) -> None:
    """Serve the keys of a configuration to SSH clients, until SIGTERM or Ctrl-C.

    It signs logins with the keys that it lists, and files for the purposes that are allowed. It signs nothing else, and
    takes no keys. When it is ready, it prints the variables by which clients find it.
    """
    import asyncio
    import resource

    from signer_ssh.agent import Agent
    from signer_ssh.configuration import signers
    from signer_ssh.opening import named, opened

    settings = signers(config)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # as OpenSSH's agent: what a crash leaves would hold keys
    with contextlib.ExitStack() as open_:
        found = opened(named(settings, names) or settings, all_of_them=bool(names))
        agent = Agent([open_.enter_context(each) for each in found], namespaces=namespaces)
        asyncio.run(_serve(agent, os.path.abspath(path)))


async def _serve(agent: "Agent", path: str) -> None:
    """Serve until a signal comes; from before there is a socket, so that none stays behind."""
    import asyncio

    from signer_ssh.connections import Connections
    from signer_ssh.socket_place import listening_at

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a shell ignores Ctrl-C for what runs beside it
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with listening_at(path) as listening:
        _announce(path)
        await Connections(agent).serve(listening, stop)


def _announce(path: str) -> None:
    """Print what a shell evaluates, in the form of ssh-agent, and close the output: a shell that reads it goes on."""
    variables = {"SSH_AUTH_SOCK": path, "SSH_AGENT_PID": str(os.getpid())}
    write("".join(f"{name}={shlex.quote(value)}; export {name};\n" for name, value in variables.items()))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
