"""Lines of a limited width with whole commands in them."""

from __future__ import annotations

from icplan.render.wrapping import WIDTH, wrapped

COMMAND = "`kubectl --context az1 -n kube-system logs deployment/ovn-ic-controller --tail=50`"


def test_a_command_stays_on_one_line() -> None:
    text = f"see why the controller of az1 has not done it: {COMMAND}, and look at {COMMAND}."
    lines = wrapped(text, "  cure: ", "    ")
    assert lines[0].startswith("  cure: see why")
    assert sum(COMMAND in line for line in lines) == 2
    assert " ".join(" ".join(lines).split()) == f"cure: {text}"


def test_one_that_is_too_long_goes_over_the_width() -> None:
    long = f"`{' '.join(['word'] * 40)}`"
    lines = wrapped(f"run {long} there", "", "  ")
    assert lines == ["run", f"  {long}", "  there"]
    assert len(lines[1]) > WIDTH


def test_a_single_grave_accent_keeps_nothing_together() -> None:
    lines = wrapped("it` " + "word " * 40, "", "")
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) > 1


def test_what_comes_from_outside_is_escaped() -> None:
    (line,) = wrapped("a `b\0c\x1b[31m d`", "", "")
    assert "\0" not in line
    assert "\x1b" not in line
    assert line.endswith(" d`")
