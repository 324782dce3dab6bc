"""The endpoint of KMS: the one that is configured, or the region's own."""

import os
from typing import Any

from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.route import Route

_RULES = "endpoint-rule-set-1"


def setting(session: Any, variable: str, option: str | None = None) -> Any:
    """A configuration variable of ``session``, botocore's; before it goes an option of its default ``Config``."""
    default = getattr(session.get_default_client_config(), option or variable, None)
    return session.get_config_variable(variable) if default is None else default


def direct_route(session: Any, config: AwsKmsConfig, region: str) -> Route:
    """The way to the endpoint that is configured, or to the region's own; ``session`` is botocore's.

    Raises ``ConfigError``, and what botocore raises.
    """
    if config.endpoint_url:
        return Route.to(config.endpoint_url)
    if not setting(session, "ignore_configured_endpoint_urls"):
        for source, url in _configured_endpoints(session):
            if url:
                return Route.to(url, source=source)
    return Route.to(_endpoint_of(session, region), source="AWS's endpoint rules")


def _configured_endpoints(session: Any) -> tuple[tuple[str, str | None], ...]:
    """The places of a "service-specific endpoint" (AWS SDKs and Tools Reference Guide), the strongest first."""
    profile = session.get_scoped_config()
    services = session.full_config.get("services", {}).get(profile.get("services"), {})
    return (
        ("AWS_ENDPOINT_URL_KMS", os.environ.get("AWS_ENDPOINT_URL_KMS")),
        ("AWS_ENDPOINT_URL", os.environ.get("AWS_ENDPOINT_URL")),
        ("the services of the AWS profile", services.get("kms", {}).get("endpoint_url")),
        ("the AWS profile", profile.get("endpoint_url")),
    )


def _endpoint_of(session: Any, region: str) -> str:
    """The region's endpoint by AWS's own rules, which botocore brings; a whole client would be slow to make."""
    from botocore.endpoint_provider import EndpointProvider

    loader = session.get_component("data_loader")
    # load_service_model() would look through the directories of all services first
    version = loader.determine_latest_version("kms", _RULES)
    provider = EndpointProvider(
        ruleset_data=loader.load_data(f"kms/{version}/{_RULES}"), partition_data=loader.load_data("partitions")
    )
    resolved = provider.resolve_endpoint(
        Region=region,
        UseFIPS=bool(setting(session, "use_fips_endpoint")),
        UseDualStack=bool(setting(session, "use_dualstack_endpoint")),
    )
    return str(resolved.url)
