"""What boto3's session, or botocore's inside it, knows: region, endpoint, proxies and trusted authorities."""

import ipaddress
import os
import ssl
from collections.abc import Mapping
from typing import Any

import attrs

from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.key_names import region_of
from signer_aws_kms.route import Route
from signer_core.errors import AccessDeniedError, ConfigError, SignerError


@attrs.frozen(kw_only=True)
class Place:
    """Where KMS is, and how to get there."""

    region: str
    endpoint: str
    route: Route
    ca_bundle: str | None

    def tls(self) -> ssl.SSLContext:
        """What every connection there is secured with. Raises ``ConfigError`` if the CA bundle cannot be read."""
        from botocore.httpsession import get_cert_path

        try:
            if self.ca_bundle is not None and os.path.isdir(self.ca_bundle):
                return ssl.create_default_context(capath=self.ca_bundle)
            return ssl.create_default_context(cafile=self.ca_bundle or get_cert_path(verify=True))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ConfigError(
                f"the CA bundle {self.ca_bundle} cannot be read: {reason}",
                remedy="correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle in AWS's configuration file",
            ) from error


def session_of(config: AwsKmsConfig) -> Any:
    """Botocore's session for the options. It is all of boto3's that is needed here: importing boto3, with its transfers
    to S3, would double the time to the first signature.
    """
    import botocore.session

    return botocore.session.Session(profile=config.profile)


def find_place(session: Any, config: AwsKmsConfig) -> Place:
    """KMS's place as boto3's own client would find it; ``session`` is botocore's. Raises ``ConfigError``."""
    try:
        region = _region(session, config)
        endpoint = config.endpoint_url or _configured_endpoint(session) or _endpoint_of(session, region)
        bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or None
        proxies = _proxies(session, endpoint)
    except SignerError:
        raise
    except Exception as error:
        raise of_session(error) from error
    route = Route.to(endpoint, proxies)
    if not route.tls and not config.allow_http and not _is_loopback(route.host):
        raise ConfigError(
            f"the endpoint {endpoint} is not encrypted",
            remedy="use https://, or set allow_http = true if the network in between is trusted",
        )
    return Place(region=region, endpoint=endpoint, route=route, ca_bundle=bundle)


def _region(session: Any, config: AwsKmsConfig) -> str:
    from botocore.utils import validate_region_name

    region = config.region or session.get_config_variable("region") or region_of(config.key_id)
    if not region:
        raise ConfigError(
            "no AWS region is configured", remedy="set the option region, AWS_DEFAULT_REGION, or region in the profile"
        )
    validate_region_name(region)
    return str(region)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _configured_endpoint(session: Any) -> str | None:
    """A "service-specific endpoint" (AWS SDKs and Tools Reference Guide): the environment before the profile, KMS's own
    setting before the one for all services.
    """
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    profile = session.get_scoped_config()
    services = session.full_config.get("services", {}).get(profile.get("services"), {})
    candidates = (
        os.environ.get("AWS_ENDPOINT_URL_KMS"),
        os.environ.get("AWS_ENDPOINT_URL"),
        services.get("kms", {}).get("endpoint_url"),
        profile.get("endpoint_url"),
    )
    return next((each for each in candidates if each), None)


def _endpoint_of(session: Any, region: str) -> str:
    """The region's endpoint by AWS's own rules, which botocore brings; a whole client would take 150 ms to make."""
    from botocore.endpoint_provider import EndpointProvider

    loader = session.get_component("data_loader")
    provider = EndpointProvider(
        ruleset_data=loader.load_service_model("kms", "endpoint-rule-set-1"),
        partition_data=loader.load_data("partitions"),
    )
    resolved = provider.resolve_endpoint(
        Region=region,
        UseFIPS=bool(session.get_config_variable("use_fips_endpoint")),
        UseDualStack=bool(session.get_config_variable("use_dualstack_endpoint")),
    )
    return str(resolved.url)


def _proxies(session: Any, endpoint: str) -> Mapping[str, str]:
    from botocore.utils import get_environ_proxies

    default = session.get_default_client_config()
    configured: Mapping[str, str] | None = getattr(default, "proxies", None)
    return get_environ_proxies(endpoint) if configured is None else configured


def of_session(error: Exception) -> SignerError:
    """The library's own error for what a session refuses."""
    name = type(error).__name__
    if name == "PartialCredentialsError":
        return AccessDeniedError(f"the AWS credentials are not whole: {error}", remedy="set what is missing")
    remedy = "check the options region and profile, and AWS's configuration files"
    if name == "ProfileNotFound":
        remedy = "correct the option profile or AWS_PROFILE; `aws configure list-profiles` shows what there is"
    return ConfigError(f"AWS's configuration is not right: {error}", remedy=remedy)
