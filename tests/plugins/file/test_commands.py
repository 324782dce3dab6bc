"""signer file export, import and passwd."""

import base64
import functools
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click.testing
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Algorithm, Deadline, Secret, create_signer, init_signer
from signer_core.cli import main
from signer_core.errors import ConfigError, KeyExistsError, KeyFormatError
from signer_file import store
from signer_file.changing import change_passphrase, import_key, look_for_place
from signer_file.config import FileConfig
from signer_file.key_file import KeyFile
from signer_file.location import find_existing
from tests.strategies import private_key

from .keys import ASCII, BY_NAME, LEGACY, Fixture, names_in, options, write_private

pytestmark = pytest.mark.usefixtures("quick_passphrases")

Run = Callable[..., click.testing.Result]

KEY = Ed25519PrivateKey.from_private_bytes(ASCII.seed)
PUBLIC = KEY.public_key().public_bytes_raw()
SET_UP = ["--backend", "file", "--set", "path=keys", "--set", "passphrase=env:PASSPHRASE", "file"]
MAIN = "from signer_core.cli import main; main()"
RAW = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run ``signer file …`` in an empty directory, on the key "keys", whose passphrase is in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASSPHRASE", ASCII.passphrase.decode())
    monkeypatch.setenv("NEW", "a new passphrase")
    monkeypatch.setenv("EMPTY", "")

    def run(*arguments: str, path: str = "keys", stdin: str | bytes | None = None, **more: str) -> click.testing.Result:
        settings = {"path": path, "passphrase": "env:PASSPHRASE", **more}
        assignments = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        command = ["--backend", "file", *assignments, "file", *arguments]
        return click.testing.CliRunner().invoke(main, command, input=stdin)

    return run


def keep(fixture: Fixture = ASCII, directory: str = "keys") -> Path:
    """The key of the fixture, in place."""
    Path(directory).mkdir(mode=0o700)
    return fixture.copy_to(Path(directory))


def address(path: str = "keys", passphrase: bytes = ASCII.passphrase) -> str:
    with create_signer(options(Path(path), passphrase)) as signer:
        return signer.address.hex()


def loaded(pem: bytes, passphrase: bytes) -> bytes:
    key = serialization.load_pem_private_key(pem, passphrase)
    assert isinstance(key, Ed25519PrivateKey)
    return key.private_bytes_raw()


def test_export_writes_pkcs8_under_the_same_passphrase(run: Run) -> None:
    keep()
    result = run("export")
    assert result.exit_code == 0
    assert result.stdout.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert result.stdout.endswith("-----END ENCRYPTED PRIVATE KEY-----\n")
    assert loaded(result.stdout_bytes, ASCII.passphrase) == ASCII.seed


@pytest.mark.peer("openssl")
def test_openssl_opens_what_export_writes(run: Run) -> None:
    keep()
    command = ["openssl", "pkey", "-passin", "env:PASSPHRASE", "-pubout"]
    public = subprocess.run(command, input=run("export").stdout_bytes, capture_output=True, check=True).stdout
    assert serialization.load_pem_public_key(public) == KEY.public_key()


def test_export_under_another_passphrase(run: Run) -> None:
    keep()
    assert loaded(run("export", "--new-passphrase", "env:NEW").stdout_bytes, b"a new passphrase") == ASCII.seed


def test_export_asks_twice_for_a_passphrase(run: Run) -> None:
    keep()
    result = run("export", "--new-passphrase", "prompt", stdin="open\nopen\n")
    assert loaded(result.stdout_bytes, b"open") == ASCII.seed


def test_export_of_an_unencrypted_file_asks_for_a_passphrase(run: Run, tmp_path: Path) -> None:
    write_private(tmp_path / "key.pem", KEY.private_bytes(*RAW))
    result = run("export", path="key.pem", allow_unencrypted="true", stdin="open\nopen\n")
    assert loaded(result.stdout_bytes, b"open") == ASCII.seed


def test_export_to_a_file_that_only_the_owner_reads(run: Run, tmp_path: Path) -> None:
    keep()
    result = run("export", "-o", "key.pem")
    assert (result.stdout, (tmp_path / "key.pem").stat().st_mode & 0o777) == ("", 0o600)
    assert address("key.pem") == ASCII.address


def test_export_replaces_no_file(run: Run, tmp_path: Path) -> None:
    keep()
    write_private(tmp_path / "key.pem", b"precious")
    result = run("export", "-o", "key.pem")
    assert (result.exit_code, result.stderr) == (1, f"error: {tmp_path}/key.pem exists already, and stays as it is\n")
    assert (tmp_path / "key.pem").read_bytes() == b"precious"


def test_export_of_the_bare_key_takes_a_flag_and_warns(run: Run) -> None:
    keep()
    result = run("export", "--unencrypted-hex")
    assert result.stdout == ASCII.seed.hex() + "\n"
    assert result.stderr == "warning: this is the private key itself; whoever reads it can sign\n"


def test_export_with_a_wrong_passphrase_says_so(run: Run, tmp_path: Path) -> None:
    path = tmp_path / keep()
    result = run("export", passphrase="env:NEW")
    assert (result.exit_code, result.stdout) == (1, "")
    error, remedy = result.stderr.splitlines()
    assert error == f"error: {path}: the passphrase is wrong, or the file was changed"
    assert remedy.startswith("remedy: check which passphrase it was encrypted with; the option 'passphrase' says where")


@pytest.mark.parametrize(
    "source",
    [
        ASCII.seed.hex().encode(),
        ASCII.seed.hex().upper().encode() + b"\n",
        b"  0x" + ASCII.seed.hex().encode() + b"\r\n",
        ASCII.seed + PUBLIC,
        ASCII.seed + PUBLIC + PUBLIC,
        (ASCII.seed + PUBLIC).hex().encode(),
        (ASCII.seed + PUBLIC + PUBLIC).hex().encode() + b"\n",
        KEY.private_bytes(*RAW),
        KEY.private_bytes(RAW[0], serialization.PrivateFormat.OpenSSH, RAW[2]),
    ],
    ids=["hex", "HEX", "0xhex", "raw64", "raw96", "hex64", "hex96", "pem", "openssh"],
)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_import_takes_a_bare_key_and_prints_its_address(source: bytes, way: str, run: Run, tmp_path: Path) -> None:
    write_private(tmp_path / "source", source)
    result = run("import", "source") if way == "file" else run("import", "-", stdin=source)
    assert (result.exit_code, result.stdout) == (0, ASCII.address + "\n")
    assert ("source holds it without protection: delete that" in result.stderr) == (way == "file")
    assert address() == ASCII.address
    assert names_in(tmp_path / "keys") == ["signer.json"]


def test_import_takes_raw_bytes_that_begin_like_another_form(run: Run, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b'{"-----BEGIN '.ljust(32))
    write_private(tmp_path / "source", key.private_bytes_raw() + key.public_key().public_bytes_raw())
    assert run("import", "source").exit_code == 0


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.OpenSSH])
def test_import_takes_an_encrypted_key(form: serialization.PrivateFormat, run: Run, tmp_path: Path) -> None:
    encryption = serialization.BestAvailableEncryption(b"a new passphrase")
    write_private(tmp_path / "source", KEY.private_bytes(serialization.Encoding.PEM, form, encryption))
    result = run("import", "source", "--source-passphrase", "env:NEW")
    assert (result.exit_code, result.stdout) == (0, ASCII.address + "\n")
    assert "without protection" not in result.stderr
    assert address() == ASCII.address


@pytest.mark.peer("ssh-keygen")
@pytest.mark.parametrize("passphrase", ["", "a new passphrase"])
def test_import_takes_a_key_of_ssh_keygen(passphrase: str, run: Run, tmp_path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-f", str(tmp_path / "id")]
    subprocess.run(command, check=True)
    assert run("import", "id", "--source-passphrase", "env:NEW").exit_code == 0
    with create_signer(options(tmp_path / "keys", ASCII.passphrase)) as signer:
        assert (tmp_path / "id.pub").read_bytes().startswith(signer.public_key.to_openssh())


@pytest.mark.parametrize("fixture", [LEGACY, BY_NAME["argon2id-priv96"]], ids=lambda each: each.name)
def test_import_takes_a_signer_json_into_another_format(fixture: Fixture, run: Run, tmp_path: Path) -> None:
    fixture.copy_to(tmp_path)
    result = run("import", "signer.json", path="new.pem", stdin=f"{fixture.passphrase.decode()}\n")
    assert result.stdout == fixture.address + "\n"
    assert address("new.pem") == fixture.address


def test_import_asks_once_for_the_source_s_passphrase(run: Run, tmp_path: Path) -> None:
    ASCII.copy_to(tmp_path)
    result = run("import", "signer.json", stdin=f"{ASCII.passphrase.decode()}\n")
    assert (result.exit_code, result.stderr.count("passphrase of signer.json")) == (0, 1)


def openssh(*encryption: bytes) -> bytes:
    chosen = serialization.BestAvailableEncryption(*encryption) if encryption else serialization.NoEncryption()
    return KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, chosen)


def edited(pem: bytes, old: bytes, new: bytes) -> bytes:
    """The PEM with the last ``old`` inside of it replaced by ``new``."""
    first, *body, last = pem.splitlines()
    before, _, after = base64.b64decode(b"".join(body)).rpartition(old)
    return b"\n".join([first, base64.b64encode(before + new + after), last])


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"", "this is no private key in a form that is known"),
        (ASCII.seed, "this is no private key in a form that is known"),
        (b"hunter2 hunter2\n", "this is no private key in a form that is known"),
        (ASCII.seed.hex()[:-1].encode(), "a private key for ed25519 in hex has 64 or 128 digits, not 63"),
        (ASCII.seed.hex().encode() * 2, "holds a public key that is not its own"),
        (ASCII.seed + ASCII.seed, "holds a public key that is not its own"),
        (ASCII.seed * 3, "holds a public key that is not its own"),
        (ASCII.seed + PUBLIC + ASCII.seed, "holds a public key that is not its own"),
        (b"-----BEGIN PRIVATE KEY-----\n", "exactly one PEM block"),
        (b'{"priv_key_encrypted": ""}', "the field nonce is missing"),
        (b"\0" * 70_000, "it is larger than 65536 bytes"),
        (openssh().replace(b"b3Bl", b"AAAA", 1), "OpenSSH private key is damaged"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nA\n-----END OPENSSH PRIVATE KEY-----\n", "not valid base64"),
        (edited(openssh(), PUBLIC, LEGACY.seed), "the OpenSSH private key is damaged"),
        (edited(openssh(), ASCII.seed, LEGACY.seed), "the OpenSSH private key does not belong to its public key"),
        (openssh(b"another passphrase"), "the passphrase is wrong, or the OpenSSH private key is damaged"),
        (ASCII.content, "the passphrase is wrong"),
        (
            ed448.Ed448PrivateKey.generate().private_bytes(*RAW),
            "an object of the type Ed448PublicKey serves none of the supported algorithms",
        ),
    ],
)
def test_import_refuses_what_is_no_key(source: bytes, problem: str, run: Run, tmp_path: Path) -> None:
    write_private(tmp_path / "source", source)
    result = run("import", "source", "--source-passphrase", "env:NEW")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: source: ")
    assert problem in result.stderr
    assert not (tmp_path / "keys").exists()
    assert ASCII.seed.hex()[:-1] not in result.stderr
    assert "hunter2" not in result.stderr


def test_import_refuses_an_openssh_key_that_serves_no_algorithm(run: Run, tmp_path: Path) -> None:
    other = rsa.generate_private_key(65537, 1024)
    write_private(tmp_path / "id", other.private_bytes(RAW[0], serialization.PrivateFormat.OpenSSH, RAW[2]))
    assert "error: id: this is an RSA key of 1024 bits\n" in run("import", "id").stderr


def test_import_of_an_encrypted_openssh_key_names_the_extra(run: Run, tmp_path: Path) -> None:
    write_private(tmp_path / "source", openssh(b"a new passphrase"))
    without_bcrypt = "import sys; sys.modules['bcrypt'] = None; from signer_core.cli import main; main()"
    command = [*SET_UP, "import", "source", "--source-passphrase", "env:NEW"]
    result = subprocess.run(
        [sys.executable, "-c", without_bcrypt, *command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "remedy: pip install 'signer-file[openssh]'\n" in result.stderr


def test_import_of_a_missing_file_says_so(run: Run) -> None:
    assert run("import", "nowhere").stderr.startswith("error: nowhere cannot be read: No such file or directory")


def test_import_with_an_empty_source_passphrase_says_so(run: Run, tmp_path: Path) -> None:
    ASCII.copy_to(tmp_path)
    result = run("import", "signer.json", "--source-passphrase", "env:EMPTY")
    assert "a passphrase is required, and this one is empty" in result.stderr


def test_import_replaces_no_key(run: Run, tmp_path: Path) -> None:
    keep()
    write_private(tmp_path / "source", LEGACY.seed.hex().encode())
    result = run("import", "source")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is a key at" in result.stderr
    assert "use --force" in result.stderr
    assert address() == ASCII.address


@pytest.mark.parametrize("form", ["evnode", "pkcs8"])
def test_import_by_force_keeps_the_old_key_as_a_backup(form: str, run: Run, tmp_path: Path) -> None:
    with init_signer(options(tmp_path / "keys", ASCII.passphrase, format=form)) as signer:
        old = signer.address.hex()
    write_private(tmp_path / "source", LEGACY.seed.hex().encode())
    name = "signer.json" if form == "evnode" else "signer.pem"
    result = run("import", "--force", "source")
    assert result.stdout == LEGACY.address + "\n"
    assert f"the key that was there is kept in {tmp_path}/keys/{name}.bak\n" in result.stderr
    assert names_in(tmp_path / "keys") == [name, f"{name}.bak"]
    assert address() == LEGACY.address
    (tmp_path / "keys" / f"{name}.bak").rename(tmp_path / name)
    assert address(name) == old


def test_import_by_force_where_there_is_no_key_makes_one(run: Run, tmp_path: Path) -> None:
    assert run("import", "--force", "-", stdin=ASCII.seed.hex()).exit_code == 0
    assert names_in(tmp_path / "keys") == ["signer.json"]


def test_import_by_force_needs_no_old_passphrase(run: Run) -> None:
    keep(LEGACY)
    assert run("import", "--force", "-", stdin=ASCII.seed.hex()).exit_code == 0
    assert address() == ASCII.address


def test_import_by_force_writes_behind_a_link_that_was_named(run: Run, tmp_path: Path) -> None:
    keep()
    (tmp_path / "link.json").symlink_to("keys/signer.json")
    assert run("import", "--force", "-", path="link.json", stdin=LEGACY.seed.hex()).exit_code == 0
    assert (tmp_path / "link.json").is_symlink()
    assert names_in(tmp_path / "keys") == ["signer.json", "signer.json.bak"]
    assert address() == LEGACY.address


def test_import_does_not_replace_a_key_that_another_process_made_meanwhile(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_directory = store.make_directory

    def make_directory_and_key(directory: Path) -> None:
        make_directory(directory)
        LEGACY.copy_to(directory)

    monkeypatch.setattr(store, "make_directory", make_directory_and_key)
    assert "there is a key at" in run("import", "-", stdin=ASCII.seed.hex()).stderr
    assert address(passphrase=LEGACY.passphrase) == LEGACY.address


@pytest.mark.parametrize("fixture", [ASCII, LEGACY, BY_NAME["argon2id-priv96"]], ids=lambda each: each.name)
def test_passwd_keeps_the_key_and_renews_the_derivation(
    fixture: Fixture, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = keep(fixture)
    monkeypatch.setenv("PASSPHRASE", fixture.passphrase.decode())
    result = run("passwd", "--new-passphrase", "env:NEW")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "is encrypted with the new passphrase" in result.stderr
    assert names_in(tmp_path / "keys") == ["signer.json"]
    assert {name: len(value) for name, value in json.loads(path.read_bytes()).items()} == {
        "priv_key_encrypted": 108, "nonce": 16, "pub_key": 44, "salt": 24,
    }  # fmt: skip
    caplog.clear()
    assert address(passphrase=b"a new passphrase") == fixture.address
    assert caplog.messages == []


def test_passwd_keeps_the_format(run: Run, tmp_path: Path) -> None:
    with init_signer(options(tmp_path / "keys", ASCII.passphrase, format="pkcs8")) as signer:
        old = signer.address.hex()
    assert run("passwd", "--new-passphrase", "env:NEW").exit_code == 0
    assert names_in(tmp_path / "keys") == ["signer.pem"]
    assert address(passphrase=b"a new passphrase") == old


def test_passwd_encrypts_an_unencrypted_file(run: Run, tmp_path: Path) -> None:
    write_private(tmp_path / "key.pem", KEY.private_bytes(*RAW))
    assert run("passwd", "--new-passphrase", "env:NEW", path="key.pem", allow_unencrypted="true").exit_code == 0
    assert address("key.pem", b"a new passphrase") == ASCII.address


def test_passwd_asks_twice(run: Run) -> None:
    keep()
    assert run("passwd", stdin="new\nnew\n").exit_code == 0
    assert address(passphrase=b"new") == ASCII.address


def test_passwd_takes_what_was_typed_the_same_twice_only(run: Run) -> None:
    keep()
    assert run("passwd", stdin="new\nnwe\n").exit_code == 1
    assert address() == ASCII.address


def test_passwd_through_a_link_that_was_named(run: Run, tmp_path: Path) -> None:
    keep()
    (tmp_path / "link.json").symlink_to("keys/signer.json")
    assert run("passwd", "--new-passphrase", "env:NEW", path="link.json").exit_code == 0
    assert (tmp_path / "link.json").is_symlink()
    assert address(passphrase=b"a new passphrase") == ASCII.address


@pytest.mark.parametrize(
    ("old", "new"), [("env:NEW", "env:NEW"), ("env:PASSPHRASE", "env:EMPTY"), ("env:EMPTY", "env:NEW")]
)
def test_passwd_that_fails_changes_nothing(old: str, new: str, run: Run) -> None:
    path = keep()
    result = run("passwd", "--new-passphrase", new, passphrase=old)
    assert result.exit_code == 1
    assert path.read_bytes() == ASCII.content


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (("passwd", "--new-passphrase"), "--new-passphrase"),
        (("export", "--new-passphrase"), "--new-passphrase"),
        (("import", "source.json", "--force", "--source-passphrase"), "--source-passphrase"),
    ],
)
def test_a_passphrase_in_the_place_of_a_reference_is_told_by_the_flag_and_not_repeated(
    command: tuple[str, ...], flag: str, run: Run
) -> None:
    path = keep()
    Path("source.json").write_bytes(ASCII.content)
    result = run(*command, "hunter2")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-2:] == [
        f"error: {flag} takes no passphrase, but a reference that leads to it",
        'remedy: write "file:PATH", "env:NAME" or "prompt"',
    ]
    assert "hunter2" not in result.output
    assert path.read_bytes() == ASCII.content


def test_import_with_a_wrong_passphrase_says_what_to_do(run: Run) -> None:
    write_private(Path("source.json"), ASCII.content)
    result = run("import", "source.json", "--source-passphrase", "env:NEW")
    assert result.stderr.splitlines()[1:] == [
        "remedy: check which passphrase it was encrypted with, and give that one by --source-passphrase"
    ]


def test_passwd_does_not_undo_what_another_process_wrote_meanwhile(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep()
    monkeypatch.setattr("signer_file.changing.seal", lambda *_: LEGACY.copy_to(tmp_path / "keys").read_bytes())
    result = run("passwd", "--new-passphrase", "env:NEW")
    assert result.exit_code == 1
    assert "was changed by another process meanwhile, and stays as it is\nremedy: run the command" in result.stderr
    assert address(passphrase=LEGACY.passphrase) == LEGACY.address


def test_a_file_that_another_process_changed_is_nothing_to_try_again(tmp_path: Path) -> None:
    """What was read is out of date, so the same step would fail again: it is not retryable."""
    write_private(tmp_path / "signer.json", ASCII.content)
    file = KeyFile.read(find_existing(FileConfig(path=tmp_path)))
    LEGACY.copy_to(tmp_path)
    with pytest.raises(KeyExistsError) as caught:
        change_passphrase(file, KEY, b"new", Deadline.after(None))
    assert not caught.value.retryable


def test_an_imported_key_is_for_what_it_was_imported_for(tmp_path: Path) -> None:
    algorithm, config = Algorithm.RSA_PKCS1V15_SHA256, FileConfig(path=tmp_path / "key.pem", passphrase=Secret(b"x"))
    key = private_key(algorithm)
    imported = import_key(config, key, algorithm, None, force=False, deadline=Deadline.after(None))
    assert (imported.key.key_id, imported.key.public_key.algorithm) == (str(tmp_path / "key.pem"), algorithm)


def test_a_key_is_not_imported_into_a_file_whose_format_does_not_hold_it(tmp_path: Path) -> None:
    ASCII.copy_to(tmp_path)
    algorithm, config = Algorithm.ECDSA_P256_SHA256, FileConfig(path=tmp_path, passphrase=Secret(b"x"))
    there, key = look_for_place(config, force=True), private_key(algorithm)
    told = f"^{tmp_path}/signer.json would be in .* not one for ecdsa-p256-sha256; use the format pkcs8"
    with pytest.raises(ConfigError, match=told):
        import_key(config, key, algorithm, there, force=True, deadline=Deadline.after(None))


def test_a_link_that_took_the_file_s_place_meanwhile_is_not_followed(tmp_path: Path) -> None:
    path = write_private(tmp_path / "signer.json", ASCII.content)
    file = KeyFile.read(find_existing(FileConfig(path=tmp_path)))
    path.rename(tmp_path / "moved.json")
    path.symlink_to("moved.json")
    with pytest.raises(KeyFormatError, match="is a symbolic link"):
        change_passphrase(file, KEY, b"new", Deadline.after(None))
    assert (path.is_symlink(), path.read_bytes()) == (True, ASCII.content)


def test_passwd_reads_the_terminal(run: Run) -> None:
    """The real one: what is typed is not shown."""
    keep()
    terminal, other_end = pty.openpty()
    enter = functools.partial(os.login_tty, other_end)
    with subprocess.Popen([sys.executable, "-c", MAIN, *SET_UP, "passwd"], preexec_fn=enter) as process:  # noqa: PLW1509
        os.close(other_end)
        shown = b""
        for question in (b"new passphrase: ", b"Repeat for confirmation: "):
            while question not in shown:
                shown += os.read(terminal, 1000)
            os.write(terminal, b"typed\n")
        while chunk := read_until_closed(terminal):
            shown += chunk
    os.close(terminal)
    assert process.returncode == 0
    assert b"typed" not in shown
    assert address(passphrase=b"typed") == ASCII.address


def read_until_closed(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1000)
    except OSError:
        return b""


def test_without_a_terminal_nothing_is_read_from_stdin_as_a_passphrase(run: Run, tmp_path: Path) -> None:
    keep()
    result = subprocess.run(
        [sys.executable, "-c", MAIN, *SET_UP, "passwd"],
        input="new\nnew\n",
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "error: nobody answered the question for the new passphrase",
        'remedy: where there is no terminal, use "file:PATH" or "env:NAME"',
    ]
    assert address() == ASCII.address
