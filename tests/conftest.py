"""For the whole suite: where real daemons are demanded, a run without them is a failure."""

from __future__ import annotations

import os

import pytest

REQUIRE = "ICPLAN_REQUIRE_REAL"
"""Set by .ci/run: tests on real daemons must have run, and nothing may have been skipped."""


class _RealRuns:
    """Counts what ran; with pytest-xdist this lives in the process that collects the reports."""

    def __init__(self) -> None:
        self.passed = 0
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed and "real" in report.keywords:
            self.passed += 1
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.passed == 0 or self.skipped:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"{self.passed} tests ran on real daemons")
        if self.passed == 0:
            terminalreporter.write_line("FAILED: no test ran on real daemons")
        for nodeid in self.skipped:
            terminalreporter.write_line(f"FAILED: skipped where nothing may be: {nodeid}")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get(REQUIRE) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_RealRuns(), "real-runs")
