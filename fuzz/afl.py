# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What is the same wherever afl-fuzz is started."""

import re

ENVIRONMENT = {
    # The output goes to a log.
    "AFL_NO_UI": "1",
    # No instance may insist on how the machine is set up: the first is about speed; the second about core dumps that go
    # to a program, which delays the notice of a crash, but loses none, as AFL++ waits for the process itself.
    "AFL_SKIP_CPUFREQ": "1",
    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
}


def stats(path):
    """What an instance says of itself; the path is that of its fuzzer_stats."""
    with open(path, encoding="utf-8") as text:
        return dict(re.findall(r"^(\w+) *: (.*)$", text.read(), re.M))
