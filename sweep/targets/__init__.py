"""All that is fuzzed, by name."""

from sweep.target import Target
from sweep.targets import audit, configuration, key_files, kms, public_keys, ssh

TARGETS: dict[str, Target] = {
    **public_keys.TARGETS,
    **key_files.TARGETS,
    **configuration.TARGETS,
    **kms.TARGETS,
    **ssh.TARGETS,
    **audit.TARGETS,
}
