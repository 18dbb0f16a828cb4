# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures, and the rule that a skip which the matrix does not grant is a failure."""

import pytest

import lab as lab_module
from probes import call


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: left out of test/run.sh quick")
    config.addinivalue_line("markers", "portable: variants that one kernel shows for all (test/kernels/matrix)")
    config.addinivalue_line("markers", "hostside: of options, reports and what any kernel shows; run natively only")
    config.lab = lab_module.open_lab()
    config.grants = lab_module.granted_skips(config.lab.name)


def pytest_generate_tests(metafunc):
    """A test with the argument `tool` runs for each tool of `ktrace list`.

    With `running` it needs a tool that this kernel can run.
    """
    if "tool" in metafunc.fixturenames and not has_own_parameters(metafunc, "tool"):
        metafunc.parametrize("tool", metafunc.config.lab.tools())
    if "running" in metafunc.fixturenames:
        metafunc.parametrize("running", metafunc.config.lab.tools(), indirect=True)


def pytest_collection_modifyitems(config, items):
    marks = [] if lab_module.wants_portable(config.lab.name) else ["portable", "hostside"]
    if config.lab.name != "native":
        marks.append("hostside")
    globs = lab_module.left_out(config.lab.name)
    left_out = [item for item in items if any(map(item.get_closest_marker, marks))
                or lab_module.is_one_of(globs, id_of(item))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def id_of(item):
    return item.nodeid.split("test/", 1)[-1]


def has_own_parameters(metafunc, name):
    return any(name in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize"))


@pytest.fixture(scope="session")
def lab(request):
    return request.config.lab


@pytest.fixture
def needs(request):
    """needs("offcputime", "--hook fentry"): skips, loudly, where the kernel cannot."""
    def check(tool, args=""):
        reason = request.config.lab.cannot(tool, args)
        if reason:
            pytest.skip(f"{tool} {args}: {reason}")
    return check


@pytest.fixture
def running(request, needs):
    needs(call(request.param))
    return request.param


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    test_id = id_of(item)
    if lab_module.is_one_of(item.config.grants, test_id):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{test_id} skipped without a grant in test/kernels/matrix: {reason}"
