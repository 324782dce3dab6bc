"""The signers of a configuration, opened for what SSH wants of them."""

import contextlib
import logging
from collections.abc import Collection, Iterator, Sequence

from signer_core import PublicKey, Signer
from signer_core.errors import (
    ConfigError,
    KeyMismatchError,
    KeyNotFoundError,
    SignerError,
    UnsupportedAlgorithmError,
)
from signer_core.factory import open_signer
from signer_core.pins import Pins, hex_address, hex_bytes
from signer_core.settings import Settings
from signer_ssh.keys import algorithm_name

_logger = logging.getLogger("signer_ssh")


def named(settings: Sequence[Settings], names: Collection[str]) -> list[Settings]:
    """Those ``settings`` that have one of the ``names``. Raises :class:`~signer_core.errors.ConfigError`."""
    found = {each.name: each for each in settings if each.name is not None}
    for name in names:
        if name not in found:
            has = f"its signers are: {', '.join(found)}" if found else None
            raise ConfigError(f"the configuration has no table [signers.{name}]", remedy=has)
    return [found[name] for name in dict.fromkeys(names)]


def opened(settings: Sequence[Settings], *, all_of_them: bool) -> Iterator[Signer]:
    """The signers, one after the other; the caller closes them.

    One whose algorithm SSH does not have is left out with a warning; where ``all_of_them`` are wanted, or no other is
    there, that is :class:`~signer_core.errors.UnsupportedAlgorithmError`.
    """
    refusals = []
    for each in settings:
        signer = open_signer(each)
        try:
            _check_algorithm(signer, each)
        except UnsupportedAlgorithmError as error:
            signer.close()
            refusals.append(error)
            if all_of_them or len(refusals) == len(settings):
                raise
            _logger.warning("left out: %s", error)
        else:
            yield signer


def opened_for(public_key: PublicKey, settings: Sequence[Settings], *, source: str) -> Signer:
    """The signer that has ``public_key``, which was read from ``source``.

    One that is pinned to it is opened first, and one that is pinned to another key not at all. The rest are opened in
    their order until it is found, whatever is wrong with those before it. Raises
    :class:`~signer_core.errors.KeyNotFoundError`.
    """
    pinned, others = _candidates(public_key, settings)
    failures = []
    for each in pinned + others:
        try:
            signer = _opened_if(public_key, each)
        except SignerError as error:
            if each in pinned or len(others) == 1:
                raise
            failures.append(f"{each.source} cannot be used: {error.message}")
        else:
            if signer is not None:
                return signer
    raise KeyNotFoundError(
        " — ".join([f"no signer of the configuration has the public key in {source}", *failures]),
        remedy="`signer show --format openssh` writes that of a signer",
    )


def _candidates(public_key: PublicKey, settings: Sequence[Settings]) -> tuple[list[Settings], list[Settings]]:
    """The settings that are pinned to the key, and those that are not pinned at all."""
    pinned: list[Settings] = []
    others: list[Settings] = []
    for each in settings:
        core = each.core_options()
        pins = Pins(address=hex_address(core.expected_address), public_key=hex_bytes(core.expected_public_key))
        try:
            pins.check(public_key)
        except (KeyMismatchError, UnsupportedAlgorithmError):  # the latter: an RSA key has no address
            continue
        (pinned if pins else others).append(each)
    return pinned, others


def _opened_if(public_key: PublicKey, settings: Settings) -> Signer | None:
    """The signer, if the key is its own."""
    with contextlib.ExitStack() as unwanted:
        signer = unwanted.enter_context(open_signer(settings))
        if signer.public_key.to_der() != public_key.to_der():
            return None
        _check_algorithm(signer, settings)
        unwanted.pop_all()
        return signer


def _check_algorithm(signer: Signer, settings: Settings) -> None:
    try:
        algorithm_name(signer.algorithm)
    except UnsupportedAlgorithmError as error:
        raise UnsupportedAlgorithmError(f"{settings.source}: {error.message}", remedy=error.remedy) from None
