"""A Signer as a signer of securesystemslib's: python-tuf's metadata, DSSE envelopes, and URIs."""

import datetime as dt
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib import dsse
from securesystemslib.exceptions import KeyMismatchError as ForeignKeyMismatchError
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Key, SSlibKey
from securesystemslib.signer import Signer as ForeignSigner
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from signer_core import Algorithm, Signer, hookimpl
from signer_core.adapters.cryptography import as_private_key
from signer_core.adapters.securesystemslib import (
    CoreSigner,
    OtherKeyError,
    UnsuitableKeyError,
    public_key_of,
    register,
)
from signer_core.errors import (
    ConfigError,
    KeyMismatchError,
    PolicyViolationError,
    SignerClosedError,
    UnsupportedAlgorithmError,
    WrongPassphraseError,
)
from signer_core.factory import init_signer
from tests.adapters.signers import kinds, noop
from tests.conftest import Install
from tests.keys import OTHER_SEED, SEED, Ed25519Key

OF_TUF = [each for each in Algorithm if each is not Algorithm.ECDSA_SECP256K1_SHA256]
EXPIRES = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=1)

#: What the TUF specification (4.2) and TAP 21 say.
SCHEMES = {
    Algorithm.ED25519: ("ed25519", "ed25519"),
    Algorithm.ECDSA_P256_SHA256: ("ecdsa", "ecdsa-sha2-nistp256"),
    Algorithm.ECDSA_P384_SHA384: ("ecdsa", "ecdsa-sha2-nistp384"),
    Algorithm.RSA_PSS_SHA256: ("rsa", "rsassa-pss-sha256"),
    Algorithm.RSA_PKCS1V15_SHA512: ("rsa", "rsa-pkcs1v15-sha512"),
    Algorithm.ML_DSA_44: ("ml-dsa", "ml-dsa-44/1"),
}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``register()`` does, until the test is over."""
    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "signer-core", object)
    register()


@pytest.mark.parametrize("signer", kinds(OF_TUF), indirect=True, ids=str)
def test_python_tuf_signs_and_verifies_root_and_targets(signer: Signer, tmp_path: Path) -> None:
    signing = CoreSigner(signer)
    root = Root(expires=EXPIRES)
    for role in ("root", "targets", "snapshot", "timestamp"):
        root.add_key(signing.public_key, role)
    target = TargetFile.from_data("release.tar.gz", b"a release")
    targets = Targets(expires=EXPIRES, targets={target.path: target})
    roles: dict[str, Any] = {
        "root": root,
        "targets": targets,
        "snapshot": Snapshot(expires=EXPIRES, meta={"targets.json": MetaFile(1)}),
        "timestamp": Timestamp(expires=EXPIRES, snapshot_meta=MetaFile(1)),
    }
    for role, content in roles.items():
        metadata = Metadata(content)
        metadata.sign(signing)
        metadata.to_file(str(tmp_path / f"{role}.json"))

    read = {role: Metadata[Any].from_file(str(tmp_path / f"{role}.json")) for role in roles}
    trusted: Root = read["root"].signed
    for role, metadata in read.items():
        trusted.verify_delegate(role, metadata.signed_bytes, metadata.signatures)

    read["targets"].signed.version = 2
    with pytest.raises(UnsignedMetadataError):
        trusted.verify_delegate("targets", read["targets"].signed_bytes, read["targets"].signatures)


@pytest.mark.parametrize("algorithm", OF_TUF)
def test_securesystemslib_s_own_signer_takes_the_private_key(algorithm: Algorithm) -> None:
    with noop(algorithm) as signer:
        theirs = CryptoSigner(as_private_key(signer), public_key_of(signer))
        theirs.public_key.verify_signature(theirs.sign(b"payload"), b"payload")


@pytest.mark.parametrize("algorithm", OF_TUF)
def test_envelope(algorithm: Algorithm) -> None:
    with noop(algorithm) as signer, noop(algorithm) as other:
        signing = CoreSigner(signer)
        envelope = dsse.Envelope(b"payload", "text/plain", {})
        envelope.sign(signing)
        again = dsse.Envelope.from_dict(envelope.to_dict())
        assert list(again.verify([signing.public_key], 1)) == [signing.public_key.keyid]
        with pytest.raises(Exception, match="Accepted signatures do not match threshold"):
            again.verify([public_key_of(other)], 1)


@pytest.mark.parametrize(("algorithm", "expected"), SCHEMES.items())
def test_public_key(algorithm: Algorithm, expected: tuple[str, str]) -> None:
    with noop(algorithm) as signer:
        key = public_key_of(signer)
    assert (key.keytype, key.scheme) == expected
    assert len(key.keyid) == 64
    assert Key.from_dict(key.keyid, key.to_dict()) == key


def test_an_algorithm_that_securesystemslib_does_not_have() -> None:
    with noop(Algorithm.ECDSA_SECP256K1_SHA256) as signer:
        for make in (public_key_of, CoreSigner):
            with pytest.raises(UnsuitableKeyError, match="no scheme for ecdsa-secp256k1-sha256; use a key for one of"):
                make(signer)


def test_the_public_key_of_the_metadata_and_its_keyid_are_kept() -> None:
    with noop(Algorithm.ED25519) as signer:
        key = SSlibKey.from_crypto(signer.public_key.to_cryptography(), keyid="the release key")
        signing = CoreSigner(signer, key)
        assert signing.public_key is key
        assert signing.sign(b"payload").keyid == "the release key"


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519, Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PSS_SHA256])
def test_another_public_key_is_refused(algorithm: Algorithm) -> None:
    with noop(algorithm) as signer, noop(algorithm) as other:
        with pytest.raises(KeyMismatchError, match="is not the public key ") as caught:
            CoreSigner(signer, public_key_of(other))
        assert isinstance(caught.value, ForeignKeyMismatchError)


def test_a_public_key_for_another_scheme_is_refused() -> None:
    with noop(Algorithm.RSA_PSS_SHA256) as signer:
        key = SSlibKey.from_crypto(signer.public_key.to_cryptography(), scheme="rsa-pkcs1v15-sha256")
        with pytest.raises(
            UnsupportedAlgorithmError, match=r"rsa-pkcs1v15-sha256, and .* signs rsassa-pss-sha256"
        ) as e:
            CoreSigner(signer, key)
        assert isinstance(e.value, ValueError)


@pytest.mark.parametrize("public", ["", "no hex", "00" * 31])
def test_a_public_key_that_is_none_is_refused(public: str) -> None:
    with noop(Algorithm.ED25519) as signer:
        key = SSlibKey("id", "ed25519", "ed25519", {"public": public})
        with pytest.raises(UnsuitableKeyError, match="securesystemslib does not sign with"):
            CoreSigner(signer, key)


def test_errors_are_pickled_with_their_fields() -> None:
    for error in (UnsuitableKeyError("a", remedy="b"), OtherKeyError("a", remedy="b")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.remedy) == (type(error), "a; b", "b")


class NoReleases:
    """An extension that refuses all there is."""

    @hookimpl
    def signer_before_sign(self, event: Any) -> None:
        raise PolicyViolationError("no releases on Fridays")


def test_a_veto_reaches_who_signs() -> None:
    with Signer(Ed25519Key(), extensions={"policy": NoReleases()}) as signer:
        with pytest.raises(PolicyViolationError, match="no releases on Fridays"):
            CoreSigner(signer).sign(b"payload")
        with pytest.raises(UnsignedMetadataError, match="no releases on Fridays") as caught:
            Metadata(Root(expires=EXPIRES)).sign(CoreSigner(signer))
        assert isinstance(caught.value.__cause__, PolicyViolationError)


CONFIG = f"""
[signer]
backend = "noop"
seed = "{SEED.hex()}"

[signers."release / root"]
backend = "noop"
seed = "{OTHER_SEED.hex()}"

[signers.ask]
backend = "file"
path = "key.pem"
passphrase = "prompt"
"""


@pytest.fixture
def config(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> Path:
    """A configuration in the working directory, whose own name needs to be encoded."""
    path = tmp_path / "a+b & #1 100%.toml"
    path.write_text(CONFIG)
    clean_environment.chdir(tmp_path)
    return path


URI = "signer-core:?config=a%2Bb%20%26%20%231%20100%25.toml"


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("name", "seed"), [(None, SEED), ("release / root", OTHER_SEED)])
def test_import_gives_the_uri_that_opens_the_signer_and_its_public_key(
    name: str | None, seed: bytes, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, key = CoreSigner.import_(config.name, name)
    assert uri.startswith("signer-core:")
    assert " " not in uri
    monkeypatch.chdir("/")
    with ForeignSigner.from_priv_key_uri(uri, key) as signing:  # type: ignore[attr-defined]
        assert type(signing) is CoreSigner
        assert signing.sign(b"payload").signature == Ed25519Key(seed).private_key.sign(b"payload").hex()


def test_a_path_that_is_not_text(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.toml"
    Path(os.fsdecode(path)).write_text(CONFIG)
    uri, key = CoreSigner.import_(os.fsdecode(path))
    assert uri.endswith("/%FF.toml")
    CoreSigner.from_priv_key_uri(uri, key).close()


@pytest.mark.parametrize("uri", [URI, "signer-core:?config=a+b%20%26%20%231%20100%25.toml"])
def test_a_relative_path_starts_at_the_working_directory(uri: str, config: Path) -> None:
    key = public_key_of(Signer(Ed25519Key()))
    with CoreSigner.from_priv_key_uri(uri, key) as signing:
        assert signing.public_key is key
    with pytest.raises(SignerClosedError):
        signing.sign(b"payload")


def test_the_name_may_be_percent_encoded_or_not(config: Path) -> None:
    key = public_key_of(Signer(Ed25519Key(OTHER_SEED)))
    path = config.name.replace("%", "%25").replace("&", "%26").replace("#", "%23")
    for name in ("release%20%2F%20root", "release %2F root", "%72elease %2f root"):
        CoreSigner.from_priv_key_uri(f"signer-core:{name}?config={path}", key).close()


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "signer-core",
        "signer-core:",
        "signer-core:root",
        "signer-core:root?",
        "signer-core:root?config",
        "signer-core:root?config=",
        "signer-core:root?path=signer.toml",
        "signer-core:root?config=signer.toml&name=x",
        "signer-core:root?config=signer.toml&config=other.toml",
        "signer-core:root?config=signer.toml#fragment",
        "signer-core:root?config=signer.toml?",
        "signer-core:root#x?config=signer.toml",
        "signer-core:root?config=%zz.toml",
        "signer-core:%?config=signer.toml",
        "signer-core://host/root?config=signer.toml",
        "SIGNER-CORE:root?config=signer.toml",
        "awskms:root?config=signer.toml",
    ],
)
def test_what_is_no_uri_of_a_signer(uri: str) -> None:
    with pytest.raises(ConfigError, match="names no signer; write signer-core:NAME\\?config=PATH"):
        CoreSigner.from_priv_key_uri(uri, public_key_of(Signer(Ed25519Key())))


@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1))
def test_any_name_is_found_again(name: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "signer.toml")
        path.write_text(
            f'[signers.{json.dumps(name, ensure_ascii=False)}]\nbackend = "noop"\nseed = "{SEED.hex()}"\n', "utf-8"
        )
        uri, key = CoreSigner.import_(path, name)
        assert re.fullmatch(r"[\w:?=/.~%-]+", uri, re.ASCII)
        CoreSigner.from_priv_key_uri(uri, key).close()


@given(st.text() | st.from_regex(r"signer-core:[^?]*(\?config=.*)?", fullmatch=True))
def test_any_other_text_is_a_config_error(uri: str) -> None:
    with pytest.raises(ConfigError):
        CoreSigner.from_priv_key_uri(uri, public_key_of(Signer(Ed25519Key())))


def test_a_name_that_the_file_does_not_have(config: Path) -> None:
    uri = URI.replace(":?", ":stray?")
    with pytest.raises(ConfigError, match=r"has no table \[signers.stray\]; its signers are: ask, release / root"):
        CoreSigner.from_priv_key_uri(uri, public_key_of(Signer(Ed25519Key())))
    with pytest.raises(ConfigError, match="there is no configuration file"):
        CoreSigner.from_priv_key_uri("signer-core:?config=nowhere.toml", public_key_of(Signer(Ed25519Key())))


def test_a_key_that_is_not_securesystemslib_s() -> None:
    with pytest.raises(UnsuitableKeyError, match="needs an SSlibKey, not a str"):
        CoreSigner.from_priv_key_uri(URI, "key")  # type: ignore[arg-type]


def test_a_uri_of_another_key_closes_what_it_opened(config: Path, install: Install) -> None:
    install(
        source="""
        OPENED = Ed25519Key()

        @hookimpl
        def signer_backend():
            return Backend(contract=1, config_class=Config)

        @hookimpl
        def signer_open(config):
            return OPENED
        """,
        module="throwaway_of_a_uri",
    )
    config.write_text('[signer]\nbackend = "throwaway"\n')
    with pytest.raises(OtherKeyError):
        CoreSigner.from_priv_key_uri(URI, public_key_of(Signer(Ed25519Key(OTHER_SEED))))
    assert sys.modules["throwaway_of_a_uri"].OPENED.closed == 1


@pytest.mark.usefixtures("registered")
def test_the_secrets_handler_is_asked_for_what_is_configured_as_prompt(config: Path) -> None:
    with init_signer({"backend": "file", "path": "key.pem", "passphrase": "grün".encode}) as signer:
        key = public_key_of(signer)
    uri = URI.replace(":?", ":ask?")
    asked = []

    def handler(name: str) -> str:
        asked.append(name)
        return "grün"

    with ForeignSigner.from_priv_key_uri(uri, key, handler) as signing:  # type: ignore[attr-defined]
        key.verify_signature(signing.sign(b"payload"), b"payload")
    assert asked == ["passphrase"]
    with pytest.raises(WrongPassphraseError):
        ForeignSigner.from_priv_key_uri(uri, key, lambda _: "rot")
    with pytest.raises(ConfigError, match='the secret "prompt" works on the command line only'):
        ForeignSigner.from_priv_key_uri(uri, key)


def test_nothing_is_registered_by_importing() -> None:
    program = """if True:
        from securesystemslib.signer import SIGNER_FOR_URI_SCHEME
        from signer_core.adapters.securesystemslib import CoreSigner, register
        print(CoreSigner.SCHEME in SIGNER_FOR_URI_SCHEME)
        register()
        print(CoreSigner.SCHEME in SIGNER_FOR_URI_SCHEME)
    """
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["False", "True"]
