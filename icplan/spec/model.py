"""The model of the file: what one interconnection is. No places in the text, no I/O.

Every class checks what can be judged from itself; what several entities mean together is a
planning rule. Values are frozen; a text that has several spellings (IPv6, CIDR) is canonical here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from icplan.spec.codes import Code
from icplan.spec.diagnostic import quoted
from icplan.spec.texts import (
    ENGINE_SCHEMA,
    LIST_OF_ONE,
    Address,
    Day,
    End,
    Endpoint,
    HostName,
    Image,
    Name,
    NodeName,
    Port,
    Remote,
    RemoteText,
    RuleCode,
    Subnet,
    Text,
    WaivedAt,
    ZoneName,
    address,
    all_wrong,
    engine,
    found,
    network,
    split_endpoint,
    wrong,
)

# The names the rest of icplan knows; the pieces they are made of stay in texts.
__all__ = [
    "Deployment",
    "Endpoint",
    "Expectation",
    "Family",
    "GoneZone",
    "IcDatabase",
    "Interconnect",
    "KubeOvnAccess",
    "KubeOvnZone",
    "KubernetesAccess",
    "Limits",
    "ManualRoute",
    "Metadata",
    "PlainOvnAccess",
    "PlainOvnZone",
    "Platform",
    "Reach",
    "Remote",
    "RoutePolicy",
    "Runtime",
    "TlsFiles",
    "TransitSwitches",
    "Waiver",
    "Zone",
    "ZoneState",
]

MOST_SWITCHES = 16
_HERE = "unix:"


class Family(StrEnum):
    """The address family of the transit switches."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    DUAL = "dual"


class RoutePolicy(StrEnum):
    """Who makes the routes between zones: OVN (auto) or the file (manual)."""

    AUTO = "auto"
    MANUAL = "manual"


class Platform(StrEnum):
    """What does the OVN work in a zone: Kube-OVN's controller, or icplan itself."""

    KUBE_OVN = "kube-ovn"
    OVN = "ovn"


class ZoneState(StrEnum):
    """What a zone shall be."""

    PRESENT = "present"
    """A part of the interconnection."""
    ABSENT = "absent"
    """Alive, and taken out."""
    GONE = "gone"
    """The cluster no longer exists; what it left behind is removed."""


class Runtime(StrEnum):
    """What runs the processes of the IC databases."""

    DOCKER = "docker"
    CONTAINERD = "containerd"
    KUBERNETES = "kubernetes"


class _Entity(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_alias=True,
        # For values built in Python; a file is read by alias only, see load.
        validate_by_name=True,
        use_attribute_docstrings=True,
    )


class Metadata(_Entity):
    """Whose interconnection this is."""

    name: Name = Field(examples=["prod"])
    """The owner mark on everything icplan writes. Renaming it gives up what the old name owns."""


class Reach(_Entity):
    """The road of icplan itself to the IC databases, when there is no direct one."""

    through: ZoneName = Field(examples=["az1"])
    """The zone through whose cluster icplan reaches the databases, by exec."""


def _direct(value: object) -> object:
    return None if value == "direct" else value


def _engines(value: object) -> tuple[tuple[str, str], ...]:
    """Checks every pair; in the order of the hosts, so that the file's order means nothing."""
    if isinstance(value, tuple):
        value = dict(value)
    if not isinstance(value, Mapping):
        raise wrong(
            Code.WRONG_TYPE,
            f"expected a mapping from host to engine, found {found(value)}",
            "Write {192.168.65.3: ssh://root@192.168.65.3}, for example.",
        )
    pairs: dict[str, str] = {}
    seen: set[str] = set()
    problems: list[tuple[tuple[str | int, ...], PydanticCustomError]] = []
    for key, text in value.items():
        host = key
        try:
            host = address(key)
        except PydanticCustomError as problem:
            # The last item says that the key is meant, as pydantic's own errors do.
            problems.append(((key, "[key]"), problem))
        if host in seen:
            twice = wrong(
                Code.BAD_ENGINE,
                f"the host {host} has an engine already, in another spelling",
                "Remove one of the two.",
            )
            problems.append(((key, "[key]"), twice))
        seen.add(host)
        try:
            pairs[host] = engine(text)
        except PydanticCustomError as problem:
            problems.append(((key,), problem))
    if problems:
        raise all_wrong("engines", problems)
    return tuple(sorted(pairs.items()))


class Deployment(_Entity):
    """How icplan runs the processes of the IC databases."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"runtime": {"const": "kubernetes"}}},
            "then": {"required": ["zone"], "not": {"required": ["engines"]}},
            "else": {"not": {"required": ["zone"]}},
        }
    )

    runtime: Runtime = Field(examples=["docker"])
    """What runs them: docker or containerd on the hosts, or the cluster of one zone."""
    image: Image = Field(examples=["kubeovn/kube-ovn:v1.7.1"])
    """The image; its start-ic-db.sh is what runs."""
    zone: ZoneName | None = Field(default=None, validate_default=True)
    """The zone whose cluster runs them; for runtime kubernetes only."""
    engines: Annotated[
        tuple[tuple[str, str], ...],
        PlainValidator(_engines),
        PlainSerializer(dict),
        WithJsonSchema(ENGINE_SCHEMA),
    ] = ()
    """Where the container engine of each host is; absent: this machine."""

    @field_validator("zone")
    @classmethod
    def _zone_fits(cls, zone: str | None, info: ValidationInfo) -> str | None:
        runtime = info.data.get("runtime")
        if runtime is Runtime.KUBERNETES and zone is None:
            raise wrong(
                Code.DEPLOYMENT_ZONE,
                "runtime kubernetes needs the zone whose cluster runs the databases",
                "Add `zone: ` and the name of a zone.",
            )
        if runtime in (Runtime.DOCKER, Runtime.CONTAINERD) and zone is not None:
            raise wrong(
                Code.DEPLOYMENT_ZONE,
                f"with runtime {runtime} the databases run on the hosts, in no zone",
                "Remove `zone`, or write `runtime: kubernetes`.",
            )
        return zone

    @field_validator("engines")
    @classmethod
    def _engines_fit(
        cls, engines: tuple[tuple[str, str], ...], info: ValidationInfo
    ) -> tuple[tuple[str, str], ...]:
        if engines and info.data.get("runtime") is Runtime.KUBERNETES:
            raise wrong(
                Code.BAD_ENGINE,
                "runtime kubernetes uses no container engine of a host",
                "Remove `engines`.",
            )
        return engines

    def engine_of(self, host: str) -> str | None:
        """The engine of a host of the IC databases; None: the one of this machine."""
        return dict(self.engines).get(host)


class IcDatabase(_Entity):
    """The two databases that all zones share."""

    hosts: Annotated[tuple[Address, ...], LIST_OF_ONE] = Field(
        min_length=1, examples=[["192.168.65.3"]]
    )
    """Their addresses: one, or an odd number from three for raft. All zones dial the same set."""
    northbound_port: Port = 6645
    """The port of the IC northbound database."""
    southbound_port: Port = Field(default=6646, validate_default=True)
    """The port of the IC southbound database."""
    reach: Annotated[
        Reach | None,
        BeforeValidator(_direct, json_schema_input_type=Literal["direct"] | Reach),
    ] = None
    """How icplan itself gets there: `direct`, the default, or through a zone."""
    deployment: Deployment | None = None
    """How icplan runs the databases; absent: somebody else does."""

    @field_validator("southbound_port")
    @classmethod
    def _two_ports(cls, port: int, info: ValidationInfo) -> int:
        if port == info.data.get("northbound_port"):
            raise wrong(
                Code.SAME_PORT,
                f"both databases have port {port}",
                "Give northboundPort and southboundPort different numbers.",
            )
        return port

    @field_validator("deployment")
    @classmethod
    def _engines_have_hosts(
        cls, deployment: Deployment | None, info: ValidationInfo
    ) -> Deployment | None:
        hosts: tuple[str, ...] | None = info.data.get("hosts")
        if deployment is None or hosts is None or deployment.runtime is Runtime.KUBERNETES:
            return deployment
        problems = list(_engine_problems(hosts, deployment))
        if problems:
            raise all_wrong("deployment", problems)
        return deployment


def _engine_problems(
    hosts: tuple[str, ...], deployment: Deployment
) -> Iterator[tuple[tuple[str | int, ...], PydanticCustomError]]:
    taken: dict[str, str] = {}
    for host, where in deployment.engines:
        if host not in hosts:
            yield (
                ("engines", host, "[key]"),
                wrong(
                    Code.BAD_ENGINE,
                    f"{host} is not one of icDatabase.hosts",
                    f"Write one of {', '.join(hosts)}, or add it to icDatabase.hosts.",
                ),
            )
        if where in taken:
            yield (
                ("engines", host),
                wrong(
                    Code.BAD_ENGINE,
                    f"the engine of {taken[where]} is given for {host} too",
                    "Give each host the engine that runs on it: one engine runs one member.",
                ),
            )
        taken.setdefault(where, host)
    here = [host for host in hosts if deployment.engine_of(host) is None]
    if len(here) > 1:
        yield (
            ("engines",),
            wrong(
                Code.BAD_ENGINE,
                f"no engine is given for {', '.join(here)}; only one of them can be this machine",
                "Add an engine for each host.",
            ),
        )
    near = [host for host in hosts if (deployment.engine_of(host) or _HERE).startswith(_HERE)]
    if len(near) > max(1, len(here)):
        yield (
            ("engines",),
            wrong(
                Code.BAD_ENGINE,
                f"the engines of {', '.join(near)} are all on this machine; only one can be",
                "Write ssh://[USER@]HOST for those that are on other machines.",
            ),
        )


class TransitSwitches(_Entity):
    """The logical switches between the zones: ts, ts1 and so on. Their number is the ECMP width."""

    count: StrictInt = Field(default=1, ge=1, le=MOST_SWITCHES)
    """How many."""
    family: Family = Family.IPV4
    """The family of their addresses."""
    subnets: Annotated[tuple[StrictStr, ...], LIST_OF_ONE] = ()
    """One subnet per switch; absent: 169.254.100.0/24 and fe80:a9fe:64::/112, counting up."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allows the short form of `_short`."""
        full = handler.resolve_ref_schema(handler(schema))
        number = full["properties"]["count"]
        return {"anyOf": [full, {key: number[key] for key in ("type", "minimum", "maximum")}]}

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"count": value}
        return value

    @field_validator("subnets")
    @classmethod
    def _subnets_fit(cls, subnets: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        family: Family | None = info.data.get("family")
        count: int | None = info.data.get("count")
        problems: list[tuple[tuple[str | int, ...], PydanticCustomError]] = []
        spelt: list[str] = []
        for index, text in enumerate(subnets):
            try:
                spelt.append(_transit_subnet(text, family))
            except PydanticCustomError as problem:
                problems.append(((index,), problem))
        if subnets and count is not None and len(subnets) != count:
            both = " With family dual both halves stand in one text, in quotes."
            number = wrong(
                Code.TRANSIT_SUBNETS,
                f"expected {count}, one per transit switch, found {len(subnets)}",
                "Give one subnet per switch, or change count."
                + (both if family is Family.DUAL else ""),
            )
            problems.append(((), number))
        if problems:
            raise all_wrong("subnets", problems)
        return tuple(spelt)

    @property
    def names(self) -> tuple[str, ...]:
        """Kube-OVN's names of the switches (docs/facts.md section 5)."""
        return tuple("ts" if index == 0 else f"ts{index}" for index in range(self.count))

    def subnet_of(self, index: int) -> str:
        """The subnet of a switch: the declared one, or Kube-OVN's default.

        Args:
            index: 0 for `ts`, 1 for `ts1`, and so on.

        Returns:
            One CIDR; with family dual two, comma-separated, IPv4 first.

        Raises:
            IndexError: if there is no such switch.
        """
        if not 0 <= index < self.count:
            raise IndexError(index)
        if self.subnets:
            return self.subnets[index]
        ipv4 = f"169.254.{100 + index}.0/24"
        ipv6 = f"fe80:a9fe:{100 + index:x}::/112"
        match self.family:
            case Family.IPV4:
                return ipv4
            case Family.IPV6:
                return ipv6
            case Family.DUAL:
                return f"{ipv4},{ipv6}"


def _transit_subnet(text: str, family: Family | None) -> str:
    """The subnet of one switch in canonical spelling; the family is None when it is unknown."""
    if family is Family.DUAL:
        halves = [network(half.strip()) for half in text.split(",")]
        if [half.version for half in halves] != [4, 6]:
            raise wrong(
                Code.TRANSIT_SUBNETS,
                f"expected an IPv4 and an IPv6 CIDR in one text, found {quoted(text)}",
                'Write both, IPv4 first: "169.254.100.0/24,fe80:a9fe:64::/112".',
            )
        return ",".join(map(str, halves))
    if family is None:
        return ",".join(str(network(half.strip())) for half in text.split(","))
    whole = network(text)
    if whole.version != (4 if family is Family.IPV4 else 6):
        raise wrong(
            Code.TRANSIT_SUBNETS,
            f"expected a CIDR of family {family}, found {quoted(text)}",
            "Write a subnet of that family, or change family.",
        )
    return str(whole)


class Limits(_Entity):
    """How much one apply may do. A plan beyond them is refused."""

    zones_at_once: StrictInt = Field(default=1, ge=1)
    """How many zones may be changed at the same time."""
    disrupted_zones: StrictInt = Field(default=1, ge=0)
    """How many zones may have an outage in one apply."""
    deletions: StrictInt = Field(default=0, ge=0)
    """How many objects may be deleted in one apply."""
    canary: ZoneName | None = None
    """The zone that is written first, and alone. Not carried out yet: plan and apply refuse it."""


class KubernetesAccess(_Entity):
    """How a zone's Kubernetes API is reached. At least one of the two is given."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    context: Text | None = None
    """A context of the kubeconfig; absent: its current one."""
    kubeconfig: Text | None = None
    """The kubeconfig file; absent: KUBECONFIG, then ~/.kube/config. Counts from this file."""

    @model_validator(mode="after")
    def _one_of_both(self) -> KubernetesAccess:
        if self.context is None and self.kubeconfig is None:
            raise wrong(
                Code.MISSING_KEY,
                "neither context nor kubeconfig is given",
                "Add `context: ` and a context of your kubeconfig: the current one may change.",
            )
        return self


class TlsFiles(_Entity):
    """The files for ssl: addresses, in PEM. Relative paths count from this file."""

    ca: Text = Field(examples=["ca.pem"])
    """The certificate of the authority that signed the servers'."""
    certificate: Text = Field(examples=["icplan.pem"])
    """The certificate that icplan shows."""
    key: Text = Field(examples=["icplan.key"])
    """The private key of that certificate."""


class GoneZone(_Entity):
    """A zone whose cluster no longer exists. What it left in the IC databases is removed."""

    name: ZoneName = Field(examples=["az1"])
    """The name it was registered with."""
    state: Literal[ZoneState.GONE]
    """gone: there is no cluster left to reach."""


class _LivingZone(_Entity):
    """What all zones have that can be reached."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"state": {"const": "absent"}}, "required": ["state"]},
            "else": {
                "properties": {"gatewayNodes": {"minItems": 1}},
                "required": ["gatewayNodes"],
            },
        }
    )

    name: ZoneName = Field(examples=["az1"])
    """The zone's name in OVN, unique in the interconnection."""
    state: ZoneState = ZoneState.PRESENT
    """present, the default; absent: alive, to be taken out; gone: the cluster no longer exists."""
    protected: StrictBool = False
    """Refuse its removal and any outage of it."""
    route_policy: RoutePolicy | None = None
    """Overrides the interconnection's routePolicy for this zone."""
    withhold: Annotated[tuple[Subnet, ...], LIST_OF_ONE] = ()
    """Each kind says what it means; here for its place among the keys."""
    platform: Platform
    """Each kind says which; here for its place among the keys."""

    @field_validator("gateway_nodes", check_fields=False)
    @classmethod
    def _has_gateways(cls, nodes: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not nodes and info.data.get("state") is ZoneState.PRESENT:
            raise wrong(
                Code.NOTHING_IN_IT,
                "at least one gateway node is needed",
                "Name the nodes that carry the tunnels: [az1-gw1, az1-gw2], for example.",
            )
        return nodes


class KubeOvnAccess(_Entity):
    """How a Kube-OVN zone is reached. An access file may take its place."""

    kubernetes: KubernetesAccess = Field(examples=[{"context": "az1"}])
    """How its Kubernetes API is reached."""


class KubeOvnZone(KubeOvnAccess, _LivingZone):
    """A Kube-OVN cluster. Its controller does the OVN work; icplan tells it what to do."""

    platform: Literal[Platform.KUBE_OVN] = Platform.KUBE_OVN
    """kube-ovn, the default, or ovn for plain OVN and OpenStack."""
    gateway_nodes: Annotated[tuple[NodeName, ...], LIST_OF_ONE] = Field(
        default=(), validate_default=True, examples=[["az1-gw1", "az1-gw2"]]
    )
    """The nodes that carry the tunnels; the first is active, the rest stand by."""
    withhold: Annotated[tuple[Subnet, ...], LIST_OF_ONE] = ()
    """Subnets that are not advertised, whole ones: by name, or by a CIDR that holds them."""


class PlainOvnAccess(_Entity):
    """How a plain OVN zone is reached. An access file may take its place."""

    northbound: Annotated[tuple[RemoteText, ...], LIST_OF_ONE] = Field(
        min_length=1, examples=[["tcp:10.0.0.5:6641"]]
    )
    """The northbound database: one address, or all of a raft cluster."""
    southbound: Annotated[tuple[RemoteText, ...], LIST_OF_ONE] = Field(
        min_length=1, examples=[["tcp:10.0.0.5:6642"]]
    )
    """The southbound database: one address, or all of a raft cluster."""
    tls: TlsFiles | None = Field(default=None, validate_default=True)
    """The files for ssl: addresses."""

    @field_validator("tls")
    @classmethod
    def _tls_fits(cls, tls: TlsFiles | None, info: ValidationInfo) -> TlsFiles | None:
        if "northbound" not in info.data or "southbound" not in info.data:
            return tls
        remotes: tuple[Remote, ...] = (*info.data["northbound"], *info.data["southbound"])
        encrypted = [remote for remote in remotes if remote.encrypted]
        if encrypted and tls is None:
            raise wrong(
                Code.TLS,
                f"{quoted(str(encrypted[0]))} needs a CA, a certificate and a key",
                "Add `tls: {ca: FILE, certificate: FILE, key: FILE}`.",
            )
        return tls

    @property
    def encrypted(self) -> bool:
        """Whether any of its databases is reached by TLS."""
        return any(remote.encrypted for remote in (*self.northbound, *self.southbound))


class PlainOvnZone(PlainOvnAccess, _LivingZone):
    """A plain OVN or OpenStack installation. icplan writes its northbound database itself."""

    platform: Literal[Platform.OVN]
    """ovn: plain OVN or OpenStack."""
    router: Text = Field(examples=["neutron-5d3c"])
    """The logical router that the transit switches are attached to."""
    gateway_nodes: Annotated[tuple[HostName, ...], LIST_OF_ONE] = Field(
        default=(), validate_default=True, examples=[["net1"]]
    )
    """The host names of the chassis that carry the tunnels; the first is active."""
    withhold: Annotated[tuple[Subnet, ...], LIST_OF_ONE] = ()
    """CIDRs, or switches behind the router by name, that are neither advertised nor learned."""


Zone: TypeAlias = KubeOvnZone | PlainOvnZone | GoneZone
"""One zone of the interconnection."""

KUBE_OVN_TAG = "kube-ovn"
PLAIN_OVN_TAG = "ovn"
GONE_TAG = "gone"
_PLAIN_OVN_KEYS = frozenset({"northbound", "southbound", "router", "tls"})


def zone_tag(value: object) -> str:
    """Which kind of zone is meant, for the errors to be about that one.

    By `state` and `platform`; without a known platform, by the keys that only one kind has.
    """
    match value:
        case GoneZone():
            return GONE_TAG
        case PlainOvnZone():
            return PLAIN_OVN_TAG
        case Mapping():
            if value.get("state") == ZoneState.GONE:
                return GONE_TAG
            platform = value.get("platform")
            if platform == Platform.OVN:
                return PLAIN_OVN_TAG
            plain = not _PLAIN_OVN_KEYS.isdisjoint(value) and "kubernetes" not in value
            if platform != Platform.KUBE_OVN and plain:
                return PLAIN_OVN_TAG
    return KUBE_OVN_TAG


_AnyZone = Annotated[
    Annotated[KubeOvnZone, Tag(KUBE_OVN_TAG)]
    | Annotated[PlainOvnZone, Tag(PLAIN_OVN_TAG)]
    | Annotated[GoneZone, Tag(GONE_TAG)],
    Discriminator(zone_tag),
]


class ManualRoute(_Entity):
    """Routes of one direction between two zones, made by the file and not by OVN."""

    from_: ZoneName = Field(alias="from", examples=["az1"])
    """The zone that gets the routes."""
    to: ZoneName = Field(examples=["az2"])
    """The zone they lead to."""
    subnets: Annotated[tuple[Subnet, ...], LIST_OF_ONE] = Field(
        min_length=1, examples=[["10.20.0.0/24"]]
    )
    """Which subnets of `to`, by CIDR or by name."""


class Expectation(_Entity):
    """What the reviewers insist on, there and back. Not carried out yet, as `expect` says."""

    from_: End = Field(alias="from", examples=["az1/ovn-default"])
    """One end: ZONE/SUBNET, ZONE/CIDR, ZONE/* or *."""
    to: End = Field(examples=["az2/10.17.0.0/16"])
    """The other end."""
    reachable: StrictBool = Field(examples=[True])
    """Whether they shall reach each other."""

    @property
    def ends(self) -> tuple[Endpoint, Endpoint]:
        """Both ends, taken apart."""
        return split_endpoint(self.from_), split_endpoint(self.to)


class Waiver(_Entity):
    """A reviewed exception from a waivable rule, at one place."""

    rule: RuleCode = Field(examples=["IC017"])
    """The code of the rule."""
    at: WaivedAt = Field(examples=["az1"])
    """The zone, or ic for what belongs to no zone."""
    reason: Text = Field(examples=["SNAT only on the office subnet"])
    """Why; for the next reader."""
    until: Day | None = None
    """The last day on which it holds, as YYYY-MM-DD; absent: for ever."""


class Interconnect(_Entity):
    """One interconnection: its databases, its zones, and what holds between them."""

    api_version: Literal["icplan/v1"] = Field(examples=["icplan/v1"])
    """The version of this grammar."""
    kind: Literal["Interconnect"] = Field(examples=["Interconnect"])
    """What the file describes."""
    metadata: Metadata = Field(examples=[{"name": "prod"}])
    """Whose interconnection this is."""
    ic_database: IcDatabase = Field(examples=[{"hosts": ["192.168.65.3"]}])
    """The databases that all zones share."""
    transit_switches: TransitSwitches = TransitSwitches()
    """The switches between the zones; a number is short for the count."""
    route_policy: RoutePolicy = RoutePolicy.AUTO
    """auto, the default: zones advertise and learn; manual: `routes` says what is reachable."""
    limits: Limits = Limits()
    """How much one apply may do."""
    availability_zones: tuple[_AnyZone, ...] = Field(
        min_length=1,
        examples=[[{"name": "az1", "kubernetes": {"context": "az1"}, "gatewayNodes": ["gw1"]}]],
    )
    """The zones: one per cluster."""
    routes: tuple[ManualRoute, ...] = Field(
        default=(), examples=[[{"from": "az1", "to": "az2", "subnets": ["10.17.0.0/16"]}]]
    )
    """The routes of manual zones, each in one direction."""
    expect: tuple[Expectation, ...] = Field(
        default=(),
        examples=[[{"from": "az1/ovn-default", "to": "az2/10.17.0.0/16", "reachable": True}]],
    )
    """What must be reachable, and what not. Not carried out yet: plan and apply refuse it."""
    accept: tuple[Waiver, ...] = Field(
        default=(),
        examples=[[{"rule": "IC017", "at": "az1", "reason": "SNAT only on the office subnet"}]],
    )
    """Reviewed exceptions from waivable rules."""
