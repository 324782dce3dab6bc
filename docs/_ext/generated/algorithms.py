"""The algorithms, out of their table."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from signer_core.algorithms import FACTS, Algorithm

_LIBP2P = {0: "RSA", 1: "Ed25519", 2: "Secp256k1", 3: "ECDSA"}  # KeyType of libp2p's peer-ids specification
_HEADINGS = "algorithm", "key", "hash", "signature", "same again", "JWK `alg`", "OpenSSH", "libp2p"


class AlgorithmsDirective(SphinxDirective):
    """``{algorithms}``: the table of all."""

    def run(self) -> list[nodes.Node]:
        """A row for each."""
        rows = [_HEADINGS, ("---",) * len(_HEADINGS), *(row(each) for each in Algorithm)]
        return self.parse_text_to_nodes("\n".join(f"| {' | '.join(each)} |" for each in rows))


def row(algorithm: Algorithm) -> tuple[str, ...]:
    """What there is to say of an algorithm, in the order of the headings."""
    facts = FACTS[algorithm]
    return (
        f"`{algorithm}`",
        facts.key_type.name.removeprefix("an ").removesuffix(" key").removeprefix("EC key on "),
        (facts.scheme.hash_name or "").upper().replace("SHA", "SHA-"),
        facts.signature,
        "yes" if facts.deterministic else "no",
        ", ".join(facts.jwk_algs),
        "yes" if facts.key_type.has_openssh else "",
        "" if facts.key_type.libp2p is None else _LIBP2P[facts.key_type.libp2p.number],
    )
