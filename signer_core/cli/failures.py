"""How the command fails: one line on stderr, a second one with the remedy, and an exit status."""

import sys

import click

from signer_core.errors import PluginContractError, SignerError

FAILED = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Failure(click.ClickException):
    """Something that only the command meets: a file that it cannot read, an output that it cannot write."""

    exit_code = FAILED

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


def reason(error: OSError) -> str:
    """What the operating system says, without its number and the path."""
    return error.strerror or str(error)


def report(error: BaseException) -> int:
    """Tell the user of ``error``; return the exit status."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    message, remedy, status = _told(error)
    told = error.__context__ if isinstance(error, click.Abort) else error  # click makes another one of an interrupt
    message = " — ".join((message, *getattr(told, "__notes__", ())))
    if isinstance(error, OSError) and not isinstance(error, SignerError):  # it may have been standard output
        from signer_core.cli.output import give_up

        give_up(sys.stdout)
    click.echo(f"error: {one_line(message)}", err=True)
    if remedy:
        click.echo(f"remedy: {one_line(remedy)}", err=True)
    return status


def by_interrupt(abort: click.Abort) -> bool:
    """Whether Ctrl-C is what click made this of; the end of the input is the other thing."""
    return isinstance(abort.__context__, KeyboardInterrupt)


def one_line(text: str) -> str:
    """``text`` on one line, with nothing in it that would steer a terminal."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in " ".join(text.split())
    )


def _told(error: BaseException) -> tuple[str, str | None, int]:
    """Message, remedy and exit status."""
    match error:
        case SignerError():
            return error.message, _remedy(error), FAILED
        case Failure():
            return error.message, error.remedy, FAILED
        case click.UsageError(ctx=context):
            remedy = f"see `{context.command_path} --help`" if context else None
            return error.format_message(), remedy, error.exit_code
        case click.ClickException():
            return error.format_message(), None, error.exit_code
        case KeyboardInterrupt():
            return "interrupted", None, getattr(error, "status", INTERRUPTED)
        case click.Abort(__context__=KeyboardInterrupt() as interrupt):
            return _told(interrupt)
        case click.Abort():
            return "aborted", None, FAILED
        case OSError(filename=str(path)):
            return f"{path}: {reason(error)}", None, FAILED
        case OSError():
            return reason(error), None, FAILED
    return (
        f"unexpected {type(error).__name__}: {error}",
        "this is a fault of the program; -vv shows where, for a report to its authors",
        FAILED,
    )


def _remedy(error: SignerError) -> str | None:
    """What the error says, and for authors of a plugin where to look."""
    if isinstance(error, PluginContractError) and isinstance(error.__cause__, Exception):
        return "; ".join(filter(None, (error.remedy, "`signer -vv …` shows what it raised, and where")))
    return error.remedy
