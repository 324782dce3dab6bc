"""What boto3's session, or botocore's inside it, knows: region, endpoint, proxies and trusted authorities."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.endpoint import direct_route, setting
from signer_aws_kms.key_names import region_of
from signer_aws_kms.route import Route
from signer_core.errors import AccessDeniedError, ConfigError, SignerError

if TYPE_CHECKING:
    import ssl


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Place:
    """Where KMS is, and how to get there."""

    region: str
    route: Route
    ca_bundle: str | None

    @property
    def endpoint(self) -> str:
        """The URL."""
        return self.route.url

    def tls(self) -> "ssl.SSLContext":
        """What every connection there is secured with; see :func:`~signer_aws_kms.tls.client_context`."""
        from signer_aws_kms.tls import client_context

        return client_context(self.ca_bundle)


def session_of(config: AwsKmsConfig) -> Any:
    """Botocore's session for the options. It is all of boto3's that is needed here: importing boto3, with its transfers
    to S3, would double the time to the first signature.
    """
    from signer_aws_kms.lean_session import LeanSession

    return LeanSession(config.profile)


def find_place(session: Any, config: AwsKmsConfig) -> Place:
    """KMS's place as boto3's own client would find it; ``session`` is botocore's. Raises ``ConfigError``."""
    try:
        region = _region(session, config)
        route = direct_route(session, config, region)
        bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or None
        proxies = _proxies(session, route.url)
        certificate = getattr(session.get_default_client_config(), "client_cert", None)
    except SignerError:
        raise
    except Exception as error:
        raise of_session(error) from error
    if certificate is not None:
        raise ConfigError("the session has a client_cert, which is not shown here", remedy="use a session without it")
    route = route.through(proxies)
    if not route.is_private and not config.allow_http:
        through, else_ = "", "use https://"
        if route.proxy is not None:
            through = f", and leads through the proxy {route.proxy.host}"
            else_ = f"add {route.host} to NO_PROXY, or use https://"
        raise ConfigError(
            f"the endpoint {route.url} is not encrypted{through}",
            remedy=f"{else_}; or set allow_http = true if the network in between is trusted",
        )
    return Place(region=region, route=route, ca_bundle=bundle)


def _region(session: Any, config: AwsKmsConfig) -> str:
    from botocore.utils import validate_region_name

    region = config.region or setting(session, "region", "region_name") or region_of(config.key_id)
    if not region:
        raise ConfigError(
            "no AWS region is configured",
            remedy="set the option region, AWS_DEFAULT_REGION (boto3 heeds no AWS_REGION), or region in the profile",
        )
    validate_region_name(region)
    return str(region)


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
