"""SHA256SUMS and the SSH signatures of a release's files, made by ``signer-ssh-sign``."""

import hashlib
from pathlib import Path

from release.programs import Refused, run

SUMS = "SHA256SUMS"
NAMESPACE = "file"

#: Whose signatures count, in the form that ssh-keygen(1) tells of under ALLOWED SIGNERS.
ALLOWED = Path("release", "allowed_signers")


def check_key(root: Path, key: Path) -> None:
    """Refuse a key that those who verify would not accept."""
    try:
        kind, public, *_ = key.read_text("utf-8").split()
    except (OSError, ValueError):
        raise Refused(f"{key} is no public key of SSH's; signer show --format openssh writes one") from None
    try:
        lines = (root / ALLOWED).read_text("utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    if not any({kind, public} <= set(line.split()) for line in lines if not line.startswith("#")):
        raise Refused(
            f"{ALLOWED} does not list the key in {key}, so nobody could verify with it; commit this line to it:\n"
            f'releases@signer-core namespaces="{NAMESPACE}" {kind} {public}'
        )


def write_sums(dist: Path) -> Path:
    """List what is in ``dist`` as sha256sum does."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(dist.iterdir())]
    sums = dist / SUMS
    sums.write_text("".join(lines), "utf-8")
    return sums


def sign(dist: Path, key: Path, config: Path | None) -> None:
    """Write the signature of each file beside it."""
    where: tuple[str | Path, ...] = ("--config", config) if config else ()
    run("signer-ssh-sign", *where, "-Y", "sign", "-n", NAMESPACE, "-f", key, *sorted(dist.iterdir()))


def verify(dist: Path, allowed: Path) -> None:
    """Verify the signature of each file as those will who download it, by OpenSSH."""
    for signature in sorted(dist.glob("*.sig")):
        principals = run("ssh-keygen", "-Y", "find-principals", "-f", allowed, "-s", signature).split()
        content = signature.with_suffix("").read_bytes()
        run(
            *("ssh-keygen", "-Y", "verify", "-f", allowed, "-I", principals[0], "-n", NAMESPACE, "-s", signature),
            stdin=content,
        )
