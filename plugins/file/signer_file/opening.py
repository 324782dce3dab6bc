"""Opening the key that exists, and making the one that does not."""

import contextlib

from signer_core.algorithms import FACTS, Algorithm
from signer_core.deadline import Deadline
from signer_core.errors import KeyExistsError
from signer_file import store
from signer_file.config import FileConfig
from signer_file.key import FileKey
from signer_file.key_file import KeyFile, errors_naming, seal
from signer_file.location import choose_new, find, find_existing
from signer_file.lock import locked


def open_key(config: FileConfig, deadline: Deadline) -> FileKey:
    """The key at ``config.path``."""
    file = KeyFile.read(find_existing(config))
    passphrase = file.passphrase(config)
    deadline.check()
    private_key = file.open(passphrase)
    with errors_naming(file.location.file):
        return FileKey(file.location.file, private_key, config.algorithm)


def init_key(config: FileConfig, deadline: Deadline) -> FileKey:
    """The key at ``config.path``, made first if it is missing; of several processes at once, one makes it for all."""
    if find(config) is not None:
        return open_key(config, deadline)
    algorithm = config.algorithm or Algorithm.ED25519
    location, passphrase = choose_new(config, algorithm), config.reveal_passphrase()
    key = FACTS[algorithm].key_type.generate(rsa_bits=config.rsa_bits)
    deadline.check()
    content = seal(key, passphrase, location.format)
    store.make_directory(location.target.parent)
    # Where there is no lock, another process may still make one between the look and the link.
    with locked(location.target.parent, deadline), contextlib.suppress(KeyExistsError):
        if find(config) is None:
            store.create(location.target, content)
            return FileKey(location.file, key, algorithm)
    return open_key(config, deadline)
