# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Settings for starting afl-fuzz, and readers of its files."""

import re

from .files import read_log

ENVIRONMENT = {
    # The output goes to a log.
    "AFL_NO_UI": "1",
    # No instance may insist on how the machine is set up: the first is about speed; the second
    # about core dumps that go to a program, which delays the notice of a crash, but loses none, as
    # AFL++ waits for the process itself.
    "AFL_SKIP_CPUFREQ": "1",
    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
}


def stats(instance):
    """What an instance, a directory, says of itself; {} if it has not said anything."""
    return dict(re.findall(r"^(\w+) *: (.*)$", read_log(f"{instance}/fuzzer_stats"), re.M))
