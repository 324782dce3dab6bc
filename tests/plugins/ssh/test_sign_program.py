"""``signer-ssh-sign`` in the place of ``ssh-keygen``."""

import os
import pty
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from signer_core import Algorithm, Signer
from signer_ssh.keys import NAMES
from signer_ssh.sign_program import main
from tests.plugins.ssh.keys import public_key, write_key, write_public_key
from tests.plugins.ssh.programs import SIGN, output, run

every_algorithm = pytest.mark.parametrize("algorithm", NAMES)
ssh_keygen = pytest.mark.peer("ssh-keygen")

COMMAND = ("-Y", "sign", "-n", "file", "-f", "key.pub")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a file to sign; the configuration is the user's own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "file").write_text("to be signed\n")
    configure(tmp_path)
    return here


def configure(place: Path, algorithm: Algorithm = Algorithm.ED25519) -> Path:
    """A configuration with several signers in the home directory, and ``key.pub``."""
    config = place / "home" / ".config" / "signer" / "signer.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    tables = {"other": write_key(place, Algorithm.ED25519, number=9), "mine": write_key(place, algorithm)}
    config.write_text("".join(f"[signers.{name}]\n{table}" for name, table in tables.items()))
    config.chmod(0o600)
    write_public_key(Path("key.pub"), algorithm)
    Path("allowed").write_bytes(b"me@here " + public_key(algorithm).to_openssh() + b"\n")
    return config


def sign(*arguments: str, **options: str | bytes) -> Result:
    """The program in this process."""
    return CliRunner().invoke(main, [*COMMAND, *arguments], **options)  # type: ignore[arg-type]


def verified(signature: str = "file.sig", *, namespace: str = "file") -> str:
    """What ssh-keygen says of the signature of ``file``."""
    command = ("ssh-keygen", "-Y", "verify", "-n", namespace, "-f", "allowed", "-I", "me@here", "-s", signature)
    return output(*command, input=Path("file").read_text())


@ssh_keygen
@every_algorithm
@pytest.mark.parametrize("hash_name", [None, "sha256", "sha512"])
def test_ssh_keygen_verifies_what_it_signs(algorithm: Algorithm, hash_name: str | None, tmp_path: Path) -> None:
    configure(tmp_path, algorithm)
    result = sign(*([] if hash_name is None else ["-O", f"hashalg={hash_name}"]), "file")
    assert (result.exit_code, result.output) == (0, "")
    assert verified().startswith('Good "file" signature for me@here')


@ssh_keygen
def test_it_writes_what_ssh_keygen_writes(place: Path) -> None:
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "theirs")
    config = place / "signer.toml"
    config.write_text('[signer]\nbackend = "file"\npath = "signer.pem"\npassphrase = "env:WORD"\n')
    imported = {**os.environ, "WORD": "word"}
    output(SIGN.with_name("signer"), "-c", config, "file", "import", "theirs", env=imported)
    result = sign("--config", str(config), "-f", "theirs", "file")
    assert result.exit_code == 1
    result = CliRunner(env={"WORD": "word"}).invoke(
        main, ["--config", str(config), "-Ysign", "-nfile", "-ftheirs", "-Ohashalg=sha512", "-q", "-U", "file"]
    )
    assert result.exit_code == 0, result.output
    ours = Path("file.sig").read_bytes()
    Path("file.sig").unlink()
    output("ssh-keygen", "-Y", "sign", "-n", "file", "-f", "theirs", "file")
    assert Path("file.sig").read_bytes() == ours


@ssh_keygen
@pytest.mark.parametrize("files", [(), ("-",)])
def test_the_signature_of_the_standard_input_goes_to_the_standard_output(files: tuple[str, ...]) -> None:
    result = sign(*files, input=Path("file").read_bytes())
    Path("stdin.sig").write_text(result.stdout)
    assert result.stderr == ""
    assert verified("stdin.sig").startswith("Good")


def test_a_standard_input_that_does_not_wait_is_not_signed_in_part() -> None:
    """Nothing more is there yet, which is no end: a program that shares it may have made it so."""
    ours, theirs = os.pipe()
    try:
        os.set_blocking(ours, False)
        os.write(theirs, b"to be ")
        done = run(SIGN, *COMMAND, stdin=ours, timeout=20)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: the standard input cannot be read: it is non-blocking")


def test_a_standard_input_that_is_closed_is_told() -> None:
    done = run("/bin/sh", "-c", 'exec "$@" <&-', "sh", SIGN, *COMMAND)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: the standard input cannot be read: it is closed")


@ssh_keygen
def test_several_files_are_signed_at_once() -> None:
    Path("second").write_text("another one")
    assert sign("file", "second").exit_code == 0
    assert verified().startswith("Good")
    command = ("ssh-keygen", "-Y", "check-novalidate", "-n", "file", "-s", "second.sig")
    assert output(*command, input="another one").startswith("Good")


@ssh_keygen
def test_a_signature_is_for_its_namespace() -> None:
    assert sign("-n", "git", "file").exit_code == 0
    assert verified(namespace="git").startswith('Good "git" signature')
    command = ("ssh-keygen", "-Y", "check-novalidate", "-n", "file", "-s", "file.sig")
    assert run(*command, input=Path("file").read_text()).returncode == 255


@pytest.mark.slow
def test_a_large_file_goes_through_the_hash() -> None:
    with Path("large").open("wb") as file:
        file.truncate(2**29)
    done = run("/bin/sh", "-c", 'ulimit -v 500000; exec "$@"', "sh", SIGN, *COMMAND, "large")
    assert done.returncode == 0, done.stderr


def test_the_permissions_of_a_signature_are_as_the_umask_says() -> None:
    before = os.umask(0o027)
    try:
        assert sign("file").exit_code == 0
    finally:
        os.umask(before)
    assert Path("file.sig").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("kind", ["file", "link", "link to nowhere"])
def test_no_file_is_replaced_or_written_through(kind: str, tmp_path: Path) -> None:
    """git's are in /tmp, where others may put a link."""
    precious = tmp_path / "precious"
    if kind == "file":
        Path("file.sig").write_text("precious")
    else:
        Path("file.sig").symlink_to(precious)
    if kind == "link":
        precious.write_text("precious")
    before = Path("file.sig").lstat()
    Path("second").touch()
    result = sign("second", "file")
    assert result.exit_code == 1
    assert result.stderr == "error: file.sig is there already\nremedy: nothing was signed; remove it first\n"
    assert os.path.samestat(Path("file.sig").lstat(), before)
    assert not Path("second.sig").exists()
    assert precious.exists() is (kind == "link")


def test_a_link_that_comes_while_it_signs_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer_ssh.sign_program._check_free", lambda file: Path(f"{file}.sig").symlink_to("precious"))
    result = sign("file")
    assert (result.exit_code, result.stderr) == (1, "error: file.sig cannot be written: File exists\n")
    assert not Path("precious").exists()


def test_a_full_disk_leaves_no_part_of_a_signature() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = run("/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", SIGN, *COMMAND, "file", env=environment)
    assert (done.returncode, done.stderr) == (1, "error: file.sig cannot be written: File too large\n")
    assert not Path("file.sig").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["missing"], 1, "missing cannot be read: No such file or directory"),
        (["."], 1, ". cannot be read: Is a directory"),
        (["-f", "missing", "file"], 1, "missing cannot be read: No such file or directory"),
        (["-f", "file", "file"], 1, "OpenSSH public key"),
        (["-f", "-"], 2, "the standard input is what is signed"),
        (["-n", "", "file"], 2, "write what the signatures are for"),
        (["-n", "\udcff", "file"], 2, "write what the signatures are for"),
        (["-O", "hashalg=sha1", "file"], 2, "write hashalg=NAME, NAME being one of: sha512, sha256"),
        (["-O", "verify-time=0", "file"], 2, "write hashalg=NAME"),
        (["--config", "missing.toml", "file"], 1, "there is no configuration file"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_signed(arguments: list[str], status: int, told: str) -> None:
    result = sign(*arguments)
    assert result.exit_code == status
    assert told in result.stderr
    assert "usage:" not in result.stderr  # git takes that word for an old ssh-keygen
    assert list(Path.cwd().glob("*.sig")) == []


@pytest.mark.parametrize("missing", ["-n", "-f", "-Y"])
def test_what_is_missing_is_told(missing: str) -> None:
    given = dict(zip(COMMAND[::2], COMMAND[1::2], strict=True))
    del given[missing]
    result = CliRunner().invoke(main, [*(word for pair in given.items() for word in pair), "file"])
    assert result.exit_code == 2
    assert f"Missing option '{missing}'" in result.stderr


def test_a_key_that_is_nobody_s_is_told() -> None:
    write_public_key(Path("key.pub"), number=3)
    result = sign("file")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: no signer of the configuration has the public key in key.pub\n"
        "remedy: `signer show --format openssh` writes that of a signer\n"
    )


@ssh_keygen
def test_other_verbs_are_ssh_keygen_s() -> None:
    """Whatever stands before them, and with its output and its status."""
    assert sign("file").exit_code == 0
    check = ("-n", "file", "-s", "file.sig")
    stdin = Path("file").read_text()
    plain = output("ssh-keygen", "-Y", "check-novalidate", *check, input=stdin)
    for before in ((), ("--config", "signer.toml"), ("--config=signer.toml",)):
        assert output(SIGN, *before, "-Y", "check-novalidate", *check, input=stdin) == plain
    assert output(SIGN, "-Ycheck-novalidate", *check, input=stdin) == plain
    found = output(SIGN, "-Y", "find-principals", "-f", "allowed", "-s", "file.sig", "-Overify-time=20300101000000")
    assert found == "me@here\n"
    done = run(SIGN, "-Y", "verify", *check, "-f", "allowed", "-I", "you@there", input=stdin)
    assert (done.returncode, done.stdout[:16]) == (255, "Could not verify")


def test_without_ssh_keygen_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = CliRunner().invoke(main, ["-Y", "verify"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ssh-keygen cannot be run: No such file or directory\nremedy: install")


def test_what_a_plugin_prints_is_no_part_of_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Signer.sign_many

    def loud(signer: Signer, messages: Sequence[bytes]) -> list[bytes]:
        sys.stdout.write("I sign!\n")
        return original(signer, messages)

    monkeypatch.setattr(Signer, "sign_many", loud)
    result = sign(input=b"content")
    assert result.stdout.startswith("-----BEGIN SSH SIGNATURE-----\n")
    assert result.stderr == "I sign!\n"


def test_help_and_version() -> None:
    assert "Usage: signer-ssh-sign" in output(SIGN, "--help")
    assert output(SIGN, "--version").startswith("signer-ssh-sign, version ")


def test_a_passphrase_is_asked_for_on_the_terminal(place: Path, tmp_path: Path) -> None:
    """Though standard error is a pipe, as git has it, and the standard input is what is signed."""
    config = tmp_path / "prompt.toml"
    config.write_text('[signers.mine]\nbackend = "file"\npath = "keys"\npassphrase = "env:WORD"\n')
    signer = (SIGN.with_name("signer"), "-c", config, "-s", "mine")
    output(*signer, "init", env={**os.environ, "WORD": "open sesame"})
    shown = output(*signer, "show", "--format", "openssh", env={**os.environ, "WORD": "open sesame"})
    (place / "key.pub").write_text(shown)
    config.write_text(config.read_text().replace("env:WORD", "prompt"))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of Python 3.12: it might have threads; the child has a shell
        child, terminal = pty.fork()
    if child == 0:  # pragma: no cover — another program
        os.execvp(
            "/bin/sh", ["sh", "-c", f"{SIGN} --config {config} {' '.join(COMMAND)} <file >signature 2>errors; echo $?"]
        )
    try:
        said = b""
        while b": " not in said:
            said += os.read(terminal, 1024)
        os.write(terminal, b"open sesame\n")
        while not said.endswith(b"0\r\n"):
            said += os.read(terminal, 1024)
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    assert said == b"passphrase of mine: \r\n0\r\n"
    assert Path("errors").read_text() == ""
    assert Path("signature").read_text().startswith("-----BEGIN SSH SIGNATURE-----")


def test_where_nobody_can_be_asked_that_is_the_error(tmp_path: Path) -> None:
    config = tmp_path / "prompt.toml"
    config.write_text('[signer]\nbackend = "file"\npath = "keys"\npassphrase = "prompt"\n')
    output(
        *(SIGN.with_name("signer"), "-c", config, "--set", "passphrase=env:WORD", "init"),
        env={**os.environ, "WORD": "open sesame"},
    )
    done = run(SIGN, "--config", config, *COMMAND, input="open sesame\n", start_new_session=True)
    assert done.returncode == 1
    assert "error: nobody answered the question for the passphrase\n" in done.stderr
