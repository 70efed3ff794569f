# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Functions shared by run-campaign and make-report."""

import argparse
import json
import os
import tomllib

from . import TOP
from .files import read_log
from .run import run


class Cannot(Exception):
    """An error that one line describes."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        raise Cannot(message)


def load_targets(path, name):
    """All of a table such as campaign.toml; one of them has the name, if there is one."""
    with open(path, "rb") as table:
        try:
            targets = tomllib.load(table)
        except ValueError as error:
            raise Cannot(f"{path}: {error}") from None
    if name is not None and name not in targets:
        raise Cannot(f"TARGET is '{name}', not one of: {', '.join(targets)}")
    return targets


def read_state(where, target):
    """campaign.json, which has to be of this target; {}: there is none."""
    try:
        state = json.loads(read_log(f"{where}/campaign.json") or "{}")
    except json.JSONDecodeError:
        raise Cannot(f"{where}/campaign.json is damaged: move it away") from None
    if state.get("target", target) != target:
        raise Cannot(f"{where} holds a campaign of {state['target']}, not of {target}")
    return state


def first_line(*command):
    """The first line of a program's output; empty if there is no such program."""
    try:
        done = run(command)
    except FileNotFoundError:
        return ""
    return (done.stdout.splitlines() or [""])[0]


def commit():
    """The commit under test; empty outside of a repository."""
    return first_line("git", "log", "-1", "--format=%h %s")


def plural(count, one, many):
    """no crash, 1 crash, 2 crashes"""
    return f"no {one}" if count == 0 else f"{count:,} {one if count == 1 else many}"


def relative(path):
    """As one would type it at the top of the tree."""
    return os.path.relpath(path, TOP) if path.startswith(f"{TOP}/") else path
