# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Tells what has changed since it last passed: digests of what a result depends on, and tables of
digests under version control."""

import hashlib
import json
import os
import subprocess
import tempfile

from . import TOP, files

LICENCE = "# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0\n#\n"


class Trouble(Exception):
    """It cannot be told; why."""


def digest(*texts):
    """A digest of texts, in this order; a text may be None."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:20]


def digest_of_files(paths):
    """A digest of the names, as seen from the top of the tree, and contents of files."""
    texts = []
    for path in paths:
        texts += [os.path.relpath(path, TOP), hashlib.sha256(files.read_bytes(path)).hexdigest()]
    return digest(*texts)


def git(*arguments, **options):
    """The output of git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=TOP, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", check=False,
                              **options)
    except FileNotFoundError as error:
        raise Trouble("this is a git repository, but there is no git") from error
    if done.returncode:
        raise Trouble(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def tree():
    """The hash of all files as they are, committed or not, without touching the index; None
    outside of git."""
    if not os.path.exists(f"{TOP}/.git"):
        return None
    with tempfile.TemporaryDirectory() as work:
        alone = os.environ | {"GIT_INDEX_FILE": f"{work}/index"}
        git("read-tree", "HEAD", env=alone)
        git("add", "--all", env=alone)
        return git("write-tree", env=alone)


class Record:
    """A table of digests, with tabs between its columns. A key is a tuple with a name for each
    column but the last, which has the digest."""

    def __init__(self, path, columns, comment):
        self.path, self.columns, self.comment = path, columns, comment

    def read(self):
        """{key: digest}; empty if there is no table."""
        if not os.path.exists(self.path):
            return {}
        rows = [line.split("\t") for line in files.read(self.path).splitlines()
                if not line.startswith("#")]
        return {tuple(names): value for *names, value in rows[1:]}

    def write(self, digests):
        """Writes the table."""
        rows = [(*self.columns, "digest"), *sorted((*key, digests[key]) for key in digests)]
        files.write(self.path,
                    LICENCE + self.comment + "".join("\t".join(row) + "\n" for row in rows))

    def changed(self, digests):
        """The keys whose digests are not in the table."""
        before = self.read()
        return {key for key, value in digests.items() if before.get(key) != value}
