"""The one table of what can be wrong with the file: IC101 and up. No check lives here.

IC001 to IC099 belong to the planning rules. A code is never given a second meaning.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """A problem of the file: its code, a headline, and an explanation to be printed on request."""

    headline: str
    explanation: str

    def __new__(cls, code: str, headline: str, explanation: str) -> Code:
        """Makes the member a text that equals its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.headline = headline
        member.explanation = explanation
        return member

    TOO_LARGE = (
        "IC101",
        "the file is larger than 4 MiB",
        "A file that describes a thousand zones stays below 1 MiB. A larger one is not an "
        "interconnect file, and reading it would take longer than telling you so.",
    )
    NOT_UTF8 = (
        "IC102",
        "the file is not UTF-8",
        "The file is read as UTF-8. Other encodings, UTF-16 among them, would turn names into "
        "other names without a word.",
    )
    BYTE_ORDER_MARK = (
        "IC103",
        "the file starts with a byte order mark",
        "Some editors put three invisible bytes in front of UTF-8 text. Tools that read the file "
        "line by line take them for a part of the first word.",
    )
    CONTROL_CHARACTER = (
        "IC104",
        "a character that YAML does not allow in a text",
        "NUL, escape sequences and the like are never part of a name, and can make a terminal show "
        "something else than what is in the file. This includes half characters (surrogates) "
        'written as an escape: "\\ud800".',
    )
    EMPTY = (
        "IC105",
        "the file is empty",
        "There is nothing in the file but white space and comments.",
    )
    SYNTAX = (
        "IC106",
        "the text is not YAML",
        "The text cannot be read any further than the place shown. What comes after it has not "
        "been looked at, so more may be wrong there.",
    )
    TOO_DEEP = (
        "IC107",
        "nested deeper than 64 levels",
        "The deepest place of the grammar is six levels down. The limit keeps a hostile file from "
        "exhausting the reader.",
    )
    TOO_MANY_NODES = (
        "IC108",
        "more than 100,000 keys and values",
        "The limit keeps a hostile file from exhausting the reader. A thousand zones with thirty "
        "keys each are far below it.",
    )
    SECOND_DOCUMENT = (
        "IC109",
        "more than one document",
        "One file is one interconnection with one owner and one IC database. A second document "
        "after `---` would be silently ignored by some readers, so it is refused.",
    )
    ANCHOR = (
        "IC110",
        "an anchor or an alias",
        "Anchors (`&name`) and aliases (`*name`) make a line mean something that stands elsewhere: "
        "a reviewer of a difference cannot see what it changes. Every value is written out.",
    )
    TAG = (
        "IC111",
        "a YAML tag",
        "A tag (`!!str`, `!vault`) changes how a value is read. The grammar needs none.",
    )
    MERGE_KEY = (
        "IC112",
        "a merge key",
        "`<<` copies keys from elsewhere. It is no part of YAML 1.2, and hides what a zone says.",
    )
    DUPLICATE_KEY = (
        "IC113",
        "a key is given twice",
        "YAML readers keep the first or the last of two equal keys, as they please. One of the two "
        "lines is not what its author thinks it is.",
    )
    KEY_NOT_TEXT = (
        "IC114",
        "a list or a mapping as a key",
        "YAML allows `? [a, b]` as a key. No key of this grammar is anything but a word.",
    )
    AMBIGUOUS_NUMBER = (
        "IC115",
        "a number that readers understand differently",
        "`010` is ten in YAML 1.2, eight in YAML 1.1, and a name to whoever wrote it. Numbers with "
        "more than twenty characters fare no better.",
    )
    DIRECTIVE = (
        "IC116",
        "a YAML directive",
        "`%YAML` and `%TAG` change how the rest of the file is read. It is read as YAML 1.2.",
    )
    NOT_A_MAPPING = (
        "IC120",
        "the file is not a mapping",
        "The top of the file holds keys: apiVersion, kind, metadata and so on.",
    )
    UNKNOWN_KEY = (
        "IC121",
        "an unknown key",
        "A key that is not known is most often a known one that is misspelt, and leaving it out "
        "silently would plan something else than what is written.",
    )
    MISSING_KEY = (
        "IC122",
        "a key is missing",
        "The key has no default that would be right for everybody.",
    )
    NO_VALUE = (
        "IC123",
        "a key without a value",
        "A key with nothing behind it is most often a value that was commented out. Leaving the "
        "key out asks for the default; nothing at all could mean either.",
    )
    WRONG_TYPE = (
        "IC124",
        "a value of the wrong type",
        "Types are not converted: `yes` and `on` are words in YAML 1.2, `1e3` and `1.10` are "
        "numbers unless they are quoted, and a quoted number is a word.",
    )
    NOT_ONE_OF = (
        "IC125",
        "a value outside the set of words allowed here",
        "The key takes one of a few words, in this spelling.",
    )
    OUT_OF_RANGE = (
        "IC126",
        "a number outside its range",
        "Ports are 1 to 65535; there are 1 to 16 transit switches; limits count from zero, and at "
        "least one zone must be allowed to change at once.",
    )
    NOTHING_IN_IT = (
        "IC127",
        "an empty list or an empty text",
        "At least one is needed. An empty list of gateways, above all, is what Kube-OVN answers "
        "with a silent blackhole: ports and learned routes stay, and no node carries them.",
    )
    BAD_NAME = (
        "IC128",
        "not a name",
        "Names of zones and of the interconnection become parts of OVN names, Kubernetes "
        "annotations and file names. What is safe in all three: lower-case letters, digits, `-` "
        "and `.`, a letter or digit at both ends, at most 63 characters. `ic` is taken: addresses "
        "like ic/transit-switch/ts use it. Nodes, subnets and routers have wider rules of their "
        "own.",
    )
    BAD_ADDRESS = (
        "IC129",
        "not an IP address",
        "Kube-OVN dials tcp:[host]:port with what stands here; icplan accepts addresses only, so "
        "that all zones are sure to mean the same host.",
    )
    BAD_CIDR = (
        "IC130",
        "not a CIDR",
        "A subnet is an address, a slash and a prefix length: 10.16.0.0/16 or fd00:10:16::/112.",
    )
    HOST_BITS = (
        "IC131",
        "a CIDR with host bits",
        "10.16.0.1/16 names a host and a network at once. The network is 10.16.0.0/16; if the host "
        "was meant, it is 10.16.0.1/32.",
    )
    TRANSIT_SUBNETS = (
        "IC132",
        "transit subnets that do not fit the switches",
        "There is one subnet per transit switch, of the family that `family` names; with dual "
        'there is one text per switch that holds both: "169.254.100.0/24,fe80:a9fe:64::/112".',
    )
    BAD_REMOTE = (
        "IC133",
        "not the address of a database",
        "OVSDB servers are addressed as tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH, as in "
        "`ovn-nbctl --db`. An IPv6 address stands in brackets.",
    )
    SEVERAL_IN_ONE = (
        "IC134",
        "several values in one text",
        "OVN's own tools take comma lists. Here each value is an element of a list, so that a "
        "problem can be shown at the one that has it.",
    )
    TLS = (
        "IC135",
        "tls does not fit the addresses",
        "ssl: addresses need a CA, a certificate and a key. Without an ssl: address the three "
        "files would be read by nobody, and the reader of the file would think the connection "
        "encrypted.",
    )
    DEPLOYMENT_ZONE = (
        "IC136",
        "deployment.zone does not fit the runtime",
        "With runtime kubernetes the databases run in the cluster of one zone, which is named "
        "here. With docker and containerd they run on the hosts, and no zone is concerned.",
    )
    BAD_ENGINE = (
        "IC137",
        "not a container engine of a host",
        "engines says how the engine of each host is reached: the key is one of icDatabase.hosts, "
        "the value ssh://[USER@]HOST[:PORT] or unix:///PATH. No engine is needed for "
        "runtime kubernetes.",
    )
    BAD_ENDPOINT = (
        "IC138",
        "not an end of an expectation",
        "An end is ZONE/SUBNET, ZONE/CIDR, ZONE/* (every subnet of the zone) or * (every zone).",
    )
    BAD_RULE = (
        "IC139",
        "not the code of a rule",
        "A waiver names one rule by its code: IC and three digits.",
    )
    BAD_DATE = (
        "IC140",
        "not a date",
        "Dates are written as YYYY-MM-DD. A waiver ends with that day.",
    )
    WRONG_PLACE = (
        "IC141",
        "a key of another kind of zone",
        "A Kube-OVN zone is reached by kubernetes; a plain OVN zone (platform: ovn) by northbound, "
        "southbound and tls, and names its router; a zone that is gone has a name only.",
    )
    SAME_PORT = (
        "IC142",
        "both databases on one port",
        "The IC northbound and the IC southbound database are two servers on the same hosts.",
    )


BY_CODE: dict[str, Code] = {code.value: code for code in Code}
"""The table by its codes."""
