"""JSON Web Tokens by PyJWT, decoded by PyJWT and by joserfc."""

import json
from typing import Any

import joserfc.jwt
import jwt
import pytest
from joserfc.jwk import JWKRegistry

from signer_core import Algorithm, Signer, hookimpl
from signer_core.adapters.cryptography import UnsupportedUseError, as_private_key
from signer_core.algorithms import FACTS
from signer_core.errors import PolicyViolationError
from tests.adapters.signers import kinds, noop
from tests.keys import Ed25519Key

CLAIMS = {"sub": "somebody", "scope": ["read", "write"]}
OF_JOSE = [each for each in Algorithm if not each.startswith("ml-dsa")]


def alg(algorithm: Algorithm) -> str:
    """Its name in a token: for Ed25519 the one of RFC 8037, which readers of every age know."""
    return FACTS[algorithm].jwk_algs[0]


@pytest.mark.filterwarnings(
    "ignore:EdDSA is deprecated"
)  # joserfc's advice to write Ed25519, which PyJWT does not know
@pytest.mark.parametrize("signer", kinds(OF_JOSE), indirect=True, ids=str)
def test_pyjwt_encodes_a_token_and_pyjwt_and_joserfc_decode_it(signer: Signer) -> None:
    name = alg(signer.algorithm)
    token = jwt.encode(CLAIMS, as_private_key(signer), algorithm=name, headers={"kid": "1"})
    jwk = signer.public_key.to_jwk()

    assert jwt.get_unverified_header(token) == {"alg": name, "kid": "1", "typ": "JWT"}
    assert jwt.decode(token, jwt.PyJWK(jwk, algorithm=name), algorithms=[name]) == CLAIMS
    assert jwt.decode(token, signer.public_key.to_cryptography(), algorithms=[name]) == CLAIMS
    assert joserfc.jwt.decode(token, JWKRegistry.import_key(dict(jwk)), algorithms=[name]).claims == CLAIMS


@pytest.mark.parametrize("algorithm", OF_JOSE)
def test_a_token_of_another_key_is_refused(algorithm: Algorithm) -> None:
    with noop(algorithm) as signer, noop(algorithm) as other:
        token = jwt.encode(CLAIMS, as_private_key(other), algorithm=alg(algorithm))
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, signer.public_key.to_cryptography(), algorithms=[alg(algorithm)])


@pytest.mark.parametrize(
    ("algorithm", "other"), [(Algorithm.RSA_PSS_SHA256, "RS256"), (Algorithm.RSA_PKCS1V15_SHA256, "RS512")]
)
def test_another_algorithm_than_the_signer_s_is_refused(algorithm: Algorithm, other: str) -> None:
    with noop(algorithm) as signer, pytest.raises(UnsupportedUseError, match=f"key for {algorithm} does not sign with"):
        jwt.encode(CLAIMS, as_private_key(signer), algorithm=other)


class NoAdministrators:
    """An extension that reads the claims."""

    @hookimpl
    def signer_before_sign(self, event: Any) -> None:
        claims = json.loads(jwt.utils.base64url_decode(event.message.split(b".")[1]))
        if claims["sub"] == "root":
            raise PolicyViolationError("no tokens for root")


def test_a_policy_reads_the_claims_and_its_veto_reaches_the_caller() -> None:
    with Signer(Ed25519Key(), extensions={"policy": NoAdministrators()}) as signer:
        jwt.encode(CLAIMS, as_private_key(signer), algorithm="EdDSA")
        with pytest.raises(PolicyViolationError, match="no tokens for root"):
            jwt.encode({**CLAIMS, "sub": "root"}, as_private_key(signer), algorithm="EdDSA")
