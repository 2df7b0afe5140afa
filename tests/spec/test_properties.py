"""Laws of the loader, on files that nobody wrote."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icplan.spec.diagnostic import FileError, report
from icplan.spec.load import Spec, read
from icplan.spec.schema import json_schema
from icplan.spec.source import Plain, parse

ROOT = Path(__file__).parents[2]
SEEDS = [
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "examples").glob("**/interconnect.yaml"))
] + [(Path(__file__).parent / "design.yaml").read_text(encoding="utf-8")]
VALIDATOR = jsonschema.Draft202012Validator(json_schema())
WORDS = sorted({word for seed in SEEDS for word in seed.split()})
slow = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def tried(data: bytes) -> Spec | None:
    """The spec; None after a FileError that can be shown. Anything else fails the test."""
    try:
        return read(data, "f")
    except FileError as error:
        found = error
    assert report(found).replace("\n", "").isprintable()
    for one in found.diagnostics:
        assert 1 <= one.origin.line <= max(len(found.lines), 1)
    return None


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good file with some of its characters, lines and words changed."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        insert = draw(
            st.one_of(
                st.text(max_size=5),
                st.sampled_from(WORDS),
                st.sampled_from(
                    ["\n", "  ", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "!t ", "~"]
                ),
            )
        )
        text = text[:start] + insert + text[end:]
    return text


@slow
@given(mutated())
def test_a_mutated_file_is_good_or_a_file_error(text: str) -> None:
    tried(text.encode("utf-8", "surrogatepass"))


@slow
@given(st.sampled_from(SEEDS), st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_broken_bytes_are_good_or_a_file_error(text: str, where: int, noise: bytes) -> None:
    data = text.encode()
    where %= len(data)
    tried(data[:where] + noise + data[where + 1 :])


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-70_000, 70_000),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            "gone",
            "absent",
            "ovn",
            "kube-ovn",
            "ic",
            "*",
            "a/b",
            "10.0.0.0/8",
            "10.0.0.1/8",
            "fd00::/8",
        ]
    ),
    st.sampled_from(["tcp:a:1", "ssl:a:1", "unix:a", "dual", "direct", "kubernetes", "[key]", ""]),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def rewritten(draw: st.DrawFn) -> Plain:
    """A good file's data with some values exchanged for others, of any type."""
    data = parse(draw(st.sampled_from(SEEDS)).encode(), "f").data
    for _ in range(draw(st.integers(1, 3))):
        node = data
        while True:
            if isinstance(node, dict) and node:
                key = draw(st.sampled_from(sorted(node)))
                if draw(st.booleans()) and isinstance(node[key], dict | list):
                    node = node[key]
                    continue
                match draw(st.sampled_from(["change", "drop", "add"])):
                    case "change":
                        node[key] = draw(values)
                    case "drop":
                        del node[key]
                    case _:
                        node[draw(st.sampled_from([*WORDS, key.upper(), key + "s"]))] = draw(values)
            elif isinstance(node, list) and node:
                index = draw(st.integers(0, len(node) - 1))
                if draw(st.booleans()) and isinstance(node[index], dict | list):
                    node = node[index]
                    continue
                node[index] = draw(values)
            break
    return data


@slow
@given(rewritten())
def test_rewritten_data_is_good_or_a_file_error(data: Plain) -> None:
    spec = tried(json.dumps(data).encode())
    if spec is not None:
        # The schema is never stricter than the loader.
        VALIDATOR.validate(spec.document.data)
        again = spec.interconnect.model_dump_json(by_alias=True, exclude_none=True)
        assert read(again.encode(), "f").interconnect == spec.interconnect


@slow
@given(rewritten())
def test_what_is_said_does_not_depend_on_the_order_of_keys(data: Plain) -> None:
    def turned(node: Plain) -> Plain:
        if isinstance(node, dict):
            return {key: turned(node[key]) for key in reversed(node)}
        return [turned(one) for one in node] if isinstance(node, list) else node

    def said(node: Plain) -> list[tuple[str, str, str]] | None:
        try:
            read(json.dumps(node).encode(), "f")
        except FileError as error:
            return sorted((one.code, one.message, one.cure) for one in error.diagnostics)
        return None

    assert said(data) == said(turned(data))
