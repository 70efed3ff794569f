# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Functions that run commands."""

import os
import subprocess

from . import TOP

OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}


def run(command, **options):
    """Runs a command without stdin at the top of the tree, and returns what subprocess.run does,
    output as text."""
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True,
               "errors": "surrogateescape", "cwd": TOP} | options
    return subprocess.run(command, check=False, **options)


def without_make(*more):
    """The environment for a separate make, even if make runs this program; without more variables,
    too."""
    return {name: value for name, value in os.environ.items() if name not in OF_MAKE | {*more}}
