"""The environment in which AWS's tools find a fake KMS, and nothing else."""

import os

from signer_aws_kms.testing.identities import Identity


def environment(endpoint_url: str, region: str, identity: Identity) -> dict[str, str]:
    """The variables that lead to the server at ``endpoint_url`` with the credentials of ``identity``."""
    # tools read the one name or the other; where both are set, not all of them the same one
    bypassed = {name: os.environ[name] for name in ("NO_PROXY", "no_proxy") if name in os.environ} or {"NO_PROXY": ""}
    return {
        **identity.environment(),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL_KMS": endpoint_url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **{name: f"{hosts},127.0.0.1" if hosts else "127.0.0.1" for name, hosts in bypassed.items()},
    }
