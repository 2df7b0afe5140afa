"""The texts of the grammar: names, addresses, subnets, dates. Each check sees one text alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    StrictInt,
    StrictStr,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from icplan.spec.codes import Code
from icplan.spec.diagnostic import escape, quoted

RESERVED = "ic"
"""No zone's name: addresses of what belongs to no zone start with it."""

LONGEST_NAME = 63
"""A label's value in Kubernetes takes no more."""

_NAME = r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?"
# A Kubernetes object's name (DNS-1123 subdomain), without its rule that labels end alphanumeric.
_OBJECT = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?"
_LOOSE = r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?"
_IMAGE = r"[A-Za-z0-9][A-Za-z0-9._:/@-]*"
_RULE = r"IC[0-9]{3}"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SSH = r"ssh://([A-Za-z0-9._-]+@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
_UNIX = r"unix:///[^\s]+"
_NUMERIC = re.compile(r"[0-9.]+")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Network: TypeAlias = IPv4Network | IPv6Network


def wrong(code: Code, message: str, cure: str) -> PydanticCustomError:
    """A problem that a check raises; the loader adds the path before it and the place.

    Args:
        code: which problem it is.
        message: what was expected, or what is wrong.
        cure: what to do, as a sentence.
    """
    return PydanticCustomError(code.value, "{message}", {"message": message, "cure": cure})


def all_wrong(
    what: str, problems: Iterable[tuple[tuple[str | int, ...], PydanticCustomError]]
) -> ValidationError:
    """Several problems of one value, each at its own path below it."""
    details = [InitErrorDetails(type=problem, loc=path, input=None) for path, problem in problems]
    return ValidationError.from_exception_data(what, details)


def found(value: object) -> str:
    """How a message names what stands in the file."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case int() | float():
            return f"the number {value}"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"a {type(value).__name__}"


def _one(text: str, what: str) -> None:
    if "," in text:
        parts = ", ".join(escape(part.strip()) for part in text.split(",") if part.strip())
        raise wrong(
            Code.SEVERAL_IN_ONE,
            f"expected one {what}, found several in one text: {quoted(text)}",
            f"Write a list: [{parts}].",
        )


def _filled(text: str) -> None:
    if not text.strip():
        raise wrong(Code.NOTHING_IN_IT, "the text is empty", "Write a value, or remove it.")


def plain_text(text: str) -> str:
    """Any text on one line, without white space around it."""
    _filled(text)
    unsafe = _UNSAFE.search(text)
    if unsafe is not None:
        raise wrong(
            Code.CONTROL_CHARACTER,
            f"expected text on one line, found {quoted(text)}",
            f"Remove the character U+{ord(unsafe[0]):04X}.",
        )
    if text != text.strip():
        raise wrong(
            Code.BAD_NAME,
            f"expected text without white space around it, found {quoted(text)}",
            f"Write {quoted(text.strip())}.",
        )
    return text


def name(text: str) -> str:
    """What is safe in OVN names, Kubernetes names and file names."""
    _filled(text)
    if len(text) > LONGEST_NAME:
        raise wrong(
            Code.BAD_NAME,
            f"expected a name of at most {LONGEST_NAME} characters, found {len(text)}",
            "Choose a shorter name.",
        )
    if re.fullmatch(_NAME, text) is None:
        raise wrong(
            Code.BAD_NAME,
            f"expected a name of lower-case letters, digits, - and ., found {quoted(text)}",
            _name_cure(text),
        )
    return text


def zone_name(text: str) -> str:
    """A name that is not the one reserved for what belongs to no zone."""
    if name(text) == RESERVED:
        raise wrong(
            Code.BAD_NAME,
            f"the name {quoted(text)} stands for the interconnection databases",
            "Choose another name for the zone.",
        )
    return text


def _name_cure(text: str) -> str:
    likely = re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.")
    if re.fullmatch(_NAME, likely):
        return f"Write {likely}, for example."
    return "Choose a name that starts and ends with a letter or a digit."


def node_name(text: str) -> str:
    """A Kubernetes node's name."""
    _filled(text)
    _one(text, "node name")
    if re.fullmatch(_OBJECT, text) is None:
        raise wrong(
            Code.BAD_NAME,
            f"expected the name of a Kubernetes node, found {quoted(text)}",
            "Write the Node's name as its cluster has it, such as az1-gw1.",
        )
    return text


def host_name(text: str) -> str:
    """A chassis' host name, as `ovn-sbctl list Chassis` shows it."""
    _filled(text)
    _one(text, "host name")
    if re.fullmatch(_HOST, text) is None:
        raise wrong(
            Code.BAD_NAME,
            f"expected the host name of a chassis, found {quoted(text)}",
            "Write the hostname as `ovn-sbctl list Chassis` shows it.",
        )
    return text


def address(text: str) -> str:
    """An IP address, in its one canonical spelling."""
    _filled(text)
    _one(text, "address")
    try:
        parsed = ip_address(text)
    except ValueError:
        raise wrong(
            Code.BAD_ADDRESS,
            f"expected an IPv4 or IPv6 address, found {quoted(text)}",
            _address_cure(text),
        ) from None
    if "%" in text or parsed.is_unspecified or parsed.is_multicast:
        raise wrong(
            Code.BAD_ADDRESS,
            f"expected an address that every zone can reach, found {quoted(text)}",
            "Write the address that the zones dial.",
        )
    return str(parsed)


def _address_cure(text: str) -> str:
    bare = text.removeprefix("tcp:").removeprefix("ssl:")
    host, _, port = bare.rpartition(":")
    for part in (bare, host, bare.partition("/")[0]):
        if _is_address(part.strip("[]")):
            rest = "; ports are northboundPort and southboundPort" if part == host and port else ""
            return f"Write {part.strip('[]')}{rest}."
    if re.fullmatch(_HOST, text) and not _NUMERIC.fullmatch(text):
        return "Write the address of the host: names are not resolved the same way everywhere."
    return "Write an address such as 192.168.65.3 or fd00::3."


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def network(text: str) -> Network:
    """The network that a CIDR names.

    Raises:
        PydanticCustomError: if it names none, or has host bits.
    """
    _filled(text)
    _one(text, "CIDR")
    base, slash, length = text.partition("/")
    if not _is_address(base) or "%" in base:
        raise wrong(
            Code.BAD_CIDR,
            f"expected a CIDR, found {quoted(text)}",
            "Write an address and a prefix length, such as 10.16.0.0/16 or fd00:10:16::/112.",
        )
    longest = ip_address(base).max_prefixlen
    if not slash:
        usual = 24 if longest == 32 else 64
        whole = ip_network(f"{base}/{usual}", strict=False)
        fitting = usual if whole.network_address == ip_address(base) else longest
        raise wrong(
            Code.BAD_CIDR,
            f"expected a CIDR, found {quoted(text)} without a prefix length",
            f"Add the prefix length, such as {text}/{fitting}.",
        )
    # ipaddress would also take a netmask ("10.0.0.0/255.0.0.0") and "08".
    if re.fullmatch(r"0|[1-9][0-9]{0,2}", length) is None or int(length) > longest:
        raise wrong(
            Code.BAD_CIDR,
            f"expected a prefix length from 0 to {longest}, found {quoted(length)}",
            f"Write a number from 0 to {longest} after the slash.",
        )
    whole = ip_network(text, strict=False)
    if whole.network_address != ip_address(base):
        raise wrong(
            Code.HOST_BITS,
            f"the CIDR {quoted(text)} has host bits",
            f"Write {whole}, or {base}/{longest} for the one address.",
        )
    return whole


def cidr(text: str) -> str:
    """A CIDR without host bits, in its one canonical spelling."""
    return str(network(text))


def subnet(text: str) -> str:
    """A subnet, by its name or its CIDR."""
    _filled(text)
    _one(text, "subnet")
    if "/" in text or ":" in text or _NUMERIC.fullmatch(text):
        return cidr(text)
    if re.fullmatch(_LOOSE, text) is None:
        raise wrong(
            Code.BAD_NAME,
            f"expected a CIDR or the name of a subnet, found {quoted(text)}",
            "Write the subnet's name as its zone has it, such as ovn-default, or a CIDR.",
        )
    return text


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of an expectation.

    Attributes:
        zone: the zone; None for every zone (`*`).
        subnet: a name or a CIDR; None for every subnet (`zone/*`).
    """

    zone: str | None
    subnet: str | None

    def __str__(self) -> str:
        """The end as the file spells it."""
        return "*" if self.zone is None else f"{self.zone}/{self.subnet or '*'}"


def split_endpoint(text: str) -> Endpoint:
    """The zone and the subnet that an end of an expectation names.

    Raises:
        PydanticCustomError: if it is not an end.
    """
    _filled(text)
    if text == "*":
        return Endpoint(None, None)
    zone, slash, rest = text.partition("/")
    if not slash or not rest or re.fullmatch(_NAME, zone) is None:
        raise wrong(
            Code.BAD_ENDPOINT,
            f"expected ZONE/SUBNET, ZONE/CIDR, ZONE/* or *, found {quoted(text)}",
            f"Write {escape(text)}/* for the whole zone."
            if re.fullmatch(_NAME, text)
            else "Write the zone's name, a slash, and a subnet.",
        )
    return Endpoint(zone, None if rest == "*" else subnet(rest))


def endpoint(text: str) -> str:
    """One end of an expectation, in its canonical spelling."""
    return str(split_endpoint(text))


def rule_code(text: str) -> str:
    """The code of a planning rule."""
    if re.fullmatch(_RULE, text) is None:
        likely = re.sub(r"[^A-Z0-9]", "", text.upper())
        raise wrong(
            Code.BAD_RULE,
            f"expected the code of a rule, found {quoted(text)}",
            f"Write {likely}."
            if re.fullmatch(_RULE, likely)
            else "Write a code as `icplan plan` shows it, such as IC017.",
        )
    return text


def waived_at(text: str) -> str:
    """Where a waiver holds: a zone, or `ic`."""
    return text if text == RESERVED else name(text)


def day(value: object) -> date:
    """A date; YAML 1.2 has no dates of its own, so it arrives as text."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(_DATE, value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise wrong(
                Code.BAD_DATE,
                f"{quoted(value)} is not a day of the calendar: {error}",
                "Write a day that exists.",
            ) from None
    raise wrong(
        Code.BAD_DATE,
        f"expected a date as YYYY-MM-DD, found {found(value)}",
        "Write the date as 2027-01-31.",
    )


def image(text: str) -> str:
    """A container image's reference."""
    _filled(text)
    if re.fullmatch(_IMAGE, text) is None:
        raise wrong(
            Code.BAD_NAME,
            f"expected an image, found {quoted(text)}",
            "Write it as REPOSITORY:TAG, such as kubeovn/kube-ovn:v1.7.1.",
        )
    return text


def engine(text: object) -> str:
    """How the container engine of a host is reached."""
    if isinstance(text, str) and (re.fullmatch(_UNIX, text) or _ssh(text)):
        return text
    raise wrong(
        Code.BAD_ENGINE,
        f"expected ssh://[USER@]HOST[:PORT] or unix:///PATH, found {found(text)}",
        f"Write unix://{escape(text)}."
        if isinstance(text, str) and re.fullmatch(r"/[^\s]+", text)
        else "Write ssh://root@192.168.65.3 or unix:///run/docker.sock, for example.",
    )


def _ssh(text: str) -> bool:
    match = re.fullmatch(_SSH, text)
    if match is None:
        return False
    bracketed = match[2].startswith("[")
    if bracketed and not _is_address(match[2][1:-1]):
        return False
    return match[3] is None or 1 <= int(match[3][1:]) <= 65535


@dataclass(frozen=True, slots=True)
class Remote:
    """The address of an OVSDB server, as ovn-nbctl's --db takes it.

    Attributes:
        scheme: tcp, ssl or unix.
        host: a host name or an IP address without brackets; empty for unix.
        port: 0 for unix.
        path: the socket, as written; empty but for unix. A relative one counts from the file.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        """The address in OVSDB's spelling."""
        if self.scheme == "unix":
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}:{host}:{self.port}"

    @property
    def encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.scheme == "ssl"

    @classmethod
    def parse(cls, text: str) -> Remote:
        """Reads OVSDB's spelling.

        Raises:
            PydanticCustomError: if it is none.
        """
        _filled(text)
        scheme, colon, rest = text.partition(":")
        if not colon or scheme not in ("tcp", "ssl", "unix"):
            raise _bad_remote(text, _scheme_cure(text))
        if scheme == "unix":
            if rest.startswith("//") or not rest:
                raise _bad_remote(text, f"Write unix:{rest.removeprefix('//') or 'PATH'}.")
            return cls("unix", path=plain_text(rest))
        _one(text, "address")
        host, port = _host_and_port(text, rest)
        return cls(scheme, host, port)


def _bad_remote(text: str, cure: str) -> PydanticCustomError:
    return wrong(
        Code.BAD_REMOTE,
        f"expected tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH, found {quoted(text)}",
        cure,
    )


def _scheme_cure(text: str) -> str:
    if text.startswith(("ptcp:", "pssl:", "punix:")):
        return f"Write the address to connect to: {escape(text.partition(':')[0][1:])}:HOST:PORT."
    if text.startswith("/"):
        return f"Write unix:{escape(text)}."
    if re.fullmatch(r"[^\s:]+:[0-9]+|\[[^\s]+\]:[0-9]+", text):
        return f"Write tcp:{escape(text)}, or ssl:{escape(text)}."
    return "Start with tcp:, ssl: or unix:, such as tcp:10.0.0.5:6641."


def _host_and_port(text: str, rest: str) -> tuple[str, int]:
    host, _, port = rest.rpartition(":")
    if rest.startswith("//"):
        raise _bad_remote(text, f"Write {escape(text.replace('//', '', 1))}: without slashes.")
    if _is_address(host) and ":" in host and port.isdigit():
        raise _bad_remote(
            text, f"Put the IPv6 address in brackets: {text.partition(':')[0]}:[{host}]:{port}."
        )
    if _is_address(rest) and ":" in rest:
        raise _bad_remote(text, f"Put the IPv6 address in brackets: [{rest}]:PORT.")
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
        raise _bad_remote(text, "End with a port from 1 to 65535, such as tcp:10.0.0.5:6641.")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if _is_address(bare) and "%" not in bare:
        if (":" in bare) != bracketed:
            raise _bad_remote(text, "Put IPv6 addresses, and only those, in brackets.")
        return str(ip_address(bare)), int(port)
    if bracketed or _NUMERIC.fullmatch(host) or re.fullmatch(_HOST, host) is None:
        raise _bad_remote(text, "Write an IP address or a host name before the port.")
    return host, int(port)


def _remote(value: object) -> Remote:
    if isinstance(value, Remote):
        return value
    if isinstance(value, str):
        return Remote.parse(value)
    raise wrong(
        Code.WRONG_TYPE,
        f"expected text, found {found(value)}",
        "Write an address such as tcp:10.0.0.5:6641.",
    )


class _ListOfOne:
    """One text may stand for a list of one; the model has the list only.

    Done before validation: a union of both would report each problem once per branch.
    """

    def __get_pydantic_core_schema__(
        self, source: type[object], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        array = handler(schema)
        return {"anyOf": [array["items"], array]}


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _pattern(*alternatives: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": "^(" + "|".join(alternatives) + ")$"})


# For the editor only, and not stricter than the checks above: those have the last word.
_CIDR_PATTERN = r"[0-9A-Fa-f:.]+/[0-9]{1,3}"
_REMOTE_PATTERN = r"(tcp|ssl):[^\s,]+:[0-9]{1,5}|unix:[^/].*|unix:/[^/].*"

LIST_OF_ONE = _ListOfOne()
Text = Annotated[
    StrictStr, AfterValidator(plain_text), WithJsonSchema({"type": "string", "minLength": 1})
]
Name = Annotated[StrictStr, AfterValidator(name), _pattern(_NAME)]
ZoneName = Annotated[StrictStr, AfterValidator(zone_name), _pattern(_NAME)]
NodeName = Annotated[StrictStr, AfterValidator(node_name), _pattern(_OBJECT)]
HostName = Annotated[StrictStr, AfterValidator(host_name), _pattern(_HOST)]
Address = Annotated[StrictStr, AfterValidator(address), _pattern("[0-9A-Fa-f:.]+")]
Subnet = Annotated[StrictStr, AfterValidator(subnet), _pattern(_CIDR_PATTERN, _LOOSE)]
End = Annotated[
    StrictStr, AfterValidator(endpoint), _pattern(r"\*", rf"{_NAME}/(\*|{_CIDR_PATTERN}|{_LOOSE})")
]
RuleCode = Annotated[StrictStr, AfterValidator(rule_code), _pattern(_RULE)]
WaivedAt = Annotated[StrictStr, AfterValidator(waived_at), _pattern(_NAME)]
Image = Annotated[StrictStr, AfterValidator(image), _pattern(_IMAGE)]
Day = Annotated[date, BeforeValidator(day), _pattern(_DATE)]
Port = Annotated[StrictInt, Field(ge=1, le=65535)]
RemoteText = Annotated[
    Remote, PlainValidator(_remote), PlainSerializer(str), _pattern(_REMOTE_PATTERN)
]
ENGINE_SCHEMA = {
    "type": "object",
    "additionalProperties": {"type": "string", "pattern": f"^({_SSH}|{_UNIX})$"},
}
