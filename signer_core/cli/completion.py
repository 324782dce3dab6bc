"""What the shell completes besides names of commands and files. Nothing is imported for it but metadata."""

from click.shell_completion import CompletionItem


def backends(incomplete: str) -> list[CompletionItem]:
    """The installed backends."""
    return _installed(incomplete, "backend")


def plugins(incomplete: str) -> list[CompletionItem]:
    """All that may bring commands."""
    return _installed(incomplete, "backend", "extension")


def _installed(incomplete: str, *kinds: str) -> list[CompletionItem]:
    from signer_core.installed import installed_plugins

    return [
        CompletionItem(each.name, help=each.summary)
        for each in installed_plugins()
        if each.kind in kinds and each.name.startswith(incomplete)
    ]


def signers(config: str | None, incomplete: str) -> list[CompletionItem]:
    """The names of the signers in the configuration file."""
    from signer_core.cli.configuration_file import ConfigurationFile
    from signer_core.config import signer_names
    from signer_core.errors import ConfigError

    try:
        file = ConfigurationFile(config)
        names = signer_names(file.path, inspect=file.inspect)
    except ConfigError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
