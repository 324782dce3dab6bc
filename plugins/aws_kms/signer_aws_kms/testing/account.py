"""The keys and aliases of one account in one region, and how names lead to them."""

import re
import threading
import uuid
from collections.abc import Callable

import attrs

from signer_aws_kms.testing.answers import AwsError
from signer_aws_kms.testing.key_specs import KEY_SPECS
from signer_aws_kms.testing.keys import Eventual, FakeKey

_KEY_ID = re.compile(r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_ARN = re.compile(r"arn:(?P<partition>[\w-]+):kms:(?P<region>[\w-]*):(?P<account>\d*):(?P<resource>(key|alias)/.+)")


@attrs.define(eq=False, kw_only=True)
class Alias:
    """A name and the key that it means, or None while it is not seen yet."""

    name: str
    arn: str
    target: Eventual[FakeKey | None] = attrs.field(factory=lambda: Eventual(None))
    created: float
    updated: float


@attrs.define(eq=False, kw_only=True)
class Account:
    """The keys and aliases. Hold ``lock`` while reading or changing them."""

    id: str
    region: str
    clock: Callable[[], float]
    #: How many requests do not see a change made by a request.
    unseen: int
    keys: dict[str, FakeKey] = attrs.field(factory=dict)
    aliases: dict[str, Alias] = attrs.field(factory=dict)
    lock: threading.RLock = attrs.field(factory=threading.RLock)

    def arn(self, resource: str) -> str:
        """The ARN of ``key/…`` or ``alias/…``."""
        return f"arn:aws:kms:{self.region}:{self.id}:{resource}"

    def add_key(
        self,
        *,
        spec: str,
        usage: str,
        description: str = "",
        tags: dict[str, str] | None = None,
        multi_region: bool = False,
        unseen: int = 0,
    ) -> FakeKey:
        """A new key, which the next ``unseen`` requests for it do not find; ValueError for a kind that there is not."""
        if spec not in KEY_SPECS or usage not in KEY_SPECS[spec].usages:
            kinds = [f"{name} for {' or '.join(facts.usages)}" for name, facts in KEY_SPECS.items()]
            raise ValueError(f"the fake KMS has no {spec} keys for {usage}; it has {', '.join(kinds)}")
        key_id = f"mrk-{uuid.uuid4().hex}" if multi_region else str(uuid.uuid4())
        key = FakeKey(
            id=key_id,
            arn=self.arn(f"key/{key_id}"),
            spec=spec,
            usage=usage,
            description=description,
            created=self.clock(),
            tags=tags or {},
            private_key=KEY_SPECS[spec].generate(),
            exists=Eventual(unseen == 0),
        )
        key.exists.set(True, unseen=unseen)
        with self.lock:
            self.keys[key_id] = key
        return key

    def set_alias(self, name: str, key: FakeKey, *, unseen: int = 0) -> None:
        """Let the alias mean the key, for all requests but the next ``unseen`` ones that use it."""
        if not name.startswith("alias/"):
            raise ValueError(f"an alias begins with alias/, as in alias/{name}")
        with self.lock:
            alias = self.aliases.get(name)
            if alias is None:
                now = self.clock()
                alias = self.aliases[name] = Alias(name=name, arn=self.arn(name), created=now, updated=now)
            alias.target.set(key, unseen=unseen)
            alias.updated = self.clock()

    def find(self, name: str) -> FakeKey:
        """The key of that id, ARN, alias or alias ARN, or KMS's NotFoundException."""
        resource = self._resource(name)
        with self.lock:
            if resource.startswith("alias/"):
                alias = self.aliases.get(resource)
                key = alias.target.read() if alias else None
                if key is None:
                    raise AwsError("NotFoundException", f"Alias {self.arn(resource)} is not found.")
                return key
            key = self.keys.get(resource.removeprefix("key/"))
            if key is None or not key.exists.read():
                raise AwsError("NotFoundException", f"Key '{self.arn(resource)}' does not exist")
            return key

    def named(self, name: str) -> FakeKey | None:
        """The key that ``name`` means, or will mean; nothing is read that others wait for."""
        resource = name.rpartition(":")[2]
        with self.lock:
            alias = self.aliases.get(resource)
            return alias.target.latest if alias else self.keys.get(resource.removeprefix("key/"))

    def _resource(self, name: str) -> str:
        if name.startswith("alias/"):
            return name
        if not name.startswith("arn:"):
            if not _KEY_ID.fullmatch(name):
                raise AwsError("NotFoundException", f"Invalid keyId '{name}'")
            return f"key/{name}"
        arn = _ARN.fullmatch(name)
        if arn is None:
            raise AwsError("InvalidArnException", f"Invalid arn {name}")
        if arn["region"] != self.region:
            raise AwsError("NotFoundException", f"Invalid arn {arn['region']}")
        if arn["account"] != self.id:
            # What exists in another account is none of the caller's business.
            raise AwsError(
                "AccessDeniedException",
                "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
                "or you are not allowed to access.",
            )
        return arn["resource"]
