"""What ``signer check`` says of a key file."""

from collections.abc import Iterator

from signer_core.errors import SignerError
from signer_core.hookspecs import Verdict
from signer_file import permissions, store
from signer_file.config import FileConfig
from signer_file.key_file import KeyFile
from signer_file.location import candidates, find_existing
from signer_file.permissions import Finding


def verdicts(config: FileConfig) -> Iterator[Verdict]:
    """The file itself, who can get at it, how its passphrase protects it, and what else is there.

    Needs no passphrase.
    """
    yield from _of_the_key(config)
    for each in (left for place in candidates(config) for left in store.leftovers(place.target)):
        detail = f"{each} is what a process left that was stopped while it wrote"
        yield Verdict(step="leftover files", passed=False, detail=detail, remedy=f"rm {each}")


def _of_the_key(config: FileConfig) -> Iterator[Verdict]:
    try:
        file = KeyFile.read(find_existing(config))
    except SignerError as error:
        remedy = error.remedy or "look at the file, or restore it from a backup"
        yield Verdict(step="key file", passed=False, detail=error.message, remedy=remedy)
        return
    yield Verdict(step="key file", passed=True, detail=f"{file.location.file}, {file.location.format}")
    yield _verdict("key file permissions", file.permissions, permissions.readers(file.status))
    yield _verdict("key directory permissions", file.directory_permissions, "no other user can write it")
    encryption = "strong" if file.sealed.encrypted else "none, which allow_unencrypted permits"
    yield _verdict("key file encryption", file.weakness, encryption)
    if (finding := file.alterability) is not None:
        # Not a failure: whether the configuration pins the key, as good a protection, is not known here.
        yield Verdict(step="key file integrity", passed=True, detail=finding.problem, remedy=finding.remedy)


def _verdict(step: str, finding: Finding | None, otherwise: str) -> Verdict:
    if finding is None:
        return Verdict(step=step, passed=True, detail=otherwise)
    return Verdict(step=step, passed=False, detail=finding.problem, remedy=finding.remedy)
