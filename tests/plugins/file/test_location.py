"""Which key file a path means."""

from pathlib import Path
from typing import Any

import pytest

from signer_core import create_signer, init_signer
from signer_core.errors import ConfigError, KeyFormatError, KeyNotFoundError
from signer_file.config import FileConfig
from signer_file.location import find

from .keys import ASCII, PASSPHRASE, names_in, options

pytestmark = pytest.mark.usefixtures("quick_passphrases")


@pytest.mark.parametrize(
    ("path", "more", "made"),
    [
        ("keys", {}, "keys/signer.json"),
        ("keys", {"format": "evnode"}, "keys/signer.json"),
        ("keys", {"format": "pkcs8"}, "keys/signer.pem"),
        ("keys.d", {}, "keys.d/signer.json"),
        ("a/b/c", {}, "a/b/c/signer.json"),
        ("sequencer.json", {}, "sequencer.json"),
        ("sequencer.json", {"format": "evnode"}, "sequencer.json"),
        ("sequencer.pem", {}, "sequencer.pem"),
        ("sequencer.pem", {"format": "pkcs8"}, "sequencer.pem"),
        ("ключ 🔑/x.pem", {}, "ключ 🔑/x.pem"),
    ],
)
def test_a_new_key_goes_where_the_path_says(path: str, more: dict[str, Any], made: str, tmp_path: Path) -> None:
    with init_signer(options(tmp_path / path, **more)) as signer:
        assert signer.key_id == str(tmp_path / made)
        assert [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()] == [made]
        assert create_signer(options(tmp_path / path)).public_key == signer.public_key


@pytest.mark.parametrize(("path", "form"), [("key.json", "pkcs8"), ("key.pem", "evnode")])
def test_a_format_that_contradicts_the_name_is_refused(path: str, form: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"the format {form} contradicts the name of .*; leave out 'format'"):
        init_signer(options(tmp_path / path, format=form))
    assert names_in(tmp_path) == []


def test_the_format_is_for_new_keys_and_does_not_hide_the_one_that_is_there(tmp_path: Path) -> None:
    ASCII.copy_to(tmp_path)
    with init_signer(options(tmp_path, ASCII.passphrase, format="pkcs8")) as signer:
        assert signer.address.hex() == ASCII.address
    assert names_in(tmp_path) == ["signer.json"]


def test_a_directory_with_two_keys_is_refused(tmp_path: Path) -> None:
    ASCII.copy_to(tmp_path)
    (tmp_path / "signer.pem").touch()
    for make_signer in (create_signer, init_signer):
        with pytest.raises(ConfigError, match=r"holds two keys, signer\.json and signer\.pem; set 'path' to one"):
            make_signer(options(tmp_path))


def test_one_of_two_keys_can_be_named(tmp_path: Path) -> None:
    path = ASCII.copy_to(tmp_path)
    (tmp_path / "signer.pem").touch()
    assert create_signer(options(path, ASCII.passphrase)).address.hex() == ASCII.address


@pytest.mark.parametrize("path", ["", "missing", "missing.json", "missing.pem", "missing/signer.json"])
def test_a_missing_key_is_told_with_the_remedy(path: str, tmp_path: Path) -> None:
    with pytest.raises(KeyNotFoundError, match=r"there is no key at .*; make one with: signer init"):
        create_signer(options(tmp_path / path))


def test_a_missing_key_is_told_before_the_passphrase_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(KeyNotFoundError):
        create_signer({"backend": "file", "path": tmp_path, "passphrase": "file:/does/not/exist"})


def test_init_without_a_passphrase_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a passphrase is required"):
        init_signer(options(tmp_path / "keys", None, allow_unencrypted=True, format="pkcs8"))
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("path", ["file", "file/key.json", "file/keys"])
def test_a_file_where_a_directory_should_be_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for make_signer in (create_signer, init_signer):
        with pytest.raises(ConfigError, match="Not a directory"):
            make_signer(options(tmp_path / path))


@pytest.mark.parametrize("name", ["signer.json", "key.pem"])
def test_a_directory_in_the_file_s_place_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    path = tmp_path if name == "signer.json" else tmp_path / name
    for make_signer in (create_signer, init_signer):
        with pytest.raises(KeyFormatError, match="is no regular file"):
            make_signer(options(path))


@pytest.mark.parametrize("path", ["a\0b", "a\0.json", "\0", "a\ud800b"])
def test_a_path_that_cannot_be_one_is_refused(path: str) -> None:
    for make_signer in (create_signer, init_signer):
        with pytest.raises(ConfigError, match="path"):
            make_signer({"backend": "file", "path": path, "passphrase": lambda: PASSPHRASE})


def test_a_nul_in_a_path_is_told() -> None:
    with pytest.raises(ConfigError, match=r"^the option 'path' holds a character that .*; remove the NUL$"):
        find(FileConfig(path=Path("a\0b")))


@pytest.mark.parametrize("path", ["x" * 256, "x" * 256 + ".json", "d/" * 3000])
def test_a_path_that_is_too_long_is_refused(path: str, tmp_path: Path) -> None:
    for make_signer in (create_signer, init_signer):
        with pytest.raises(ConfigError, match=r"^there can be no key at .*: File name too long"):
            make_signer(options(tmp_path / path))


def test_a_working_directory_that_was_deleted_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for make_signer in (create_signer, init_signer):
        with pytest.raises((ConfigError, KeyNotFoundError)):
            make_signer(options(Path("keys")))


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.json").symlink_to(tmp_path / "key.json")
    for make_signer in (create_signer, init_signer):
        with pytest.raises(ConfigError, match="Too many levels of symbolic links"):
            make_signer(options(tmp_path / "key.json"))
