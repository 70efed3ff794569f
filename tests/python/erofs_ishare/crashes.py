# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Crashes and hangs of a campaign: replayed, grouped by stack, and minimised."""

import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess

from . import TOP
from .files import read_log
from .campaigns import relative

# Those that make a crash of a defect, or are below every one.
NOT_GUILTY = re.compile(
    r"__(asan|ubsan|sanitizer|interceptor|libc_start|restore_rt)|.*Sanitizer|_?_?abort$|raise$|gsignal$|__pthread_kill|"
    r"broken$|main$|_start$|LLVMFuzzer|fuzzer::|ExecuteFiles|__assert")
FRAMES = 3
SHOWN_FRAMES = 16
SHOWN_LINES = 60

MINIMISE_SECONDS = 60

# A stack for each way to end: abort() by the harness, a deadly signal, undefined behaviour.
# afl-tmin has its own idea.
STACKS = {"ASAN_OPTIONS": "handle_abort=1:symbolize=1:detect_leaks=0",
          "UBSAN_OPTIONS": "print_stacktrace=1"}


def finish(command, timeout, environment):
    """(exit status, output, whether it took too long): a program that does is asked for its
    stack."""
    with subprocess.Popen(command, cwd=TOP, env=os.environ | environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        for number, patience in ((signal.SIGABRT, timeout), (signal.SIGKILL, 5), (None, None)):
            try:
                said, _ = process.communicate(timeout=patience)
                return process.returncode, said.decode(errors="replace"), number != signal.SIGABRT
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, number)
    raise AssertionError("a killed program does not end")


# ---- What a replay says ----

def frames(said):
    """(function, place) of the first stack in the output, innermost first: a sanitizer's, or the
    kernel's. User-Mode Linux prints whatever on the stack points to code: without an offset it is
    no call, others may be left over from earlier ones."""
    stack = []
    for line in said.splitlines():
        user = re.match(r"\s*#(\d+) 0x[0-9a-f]+ (?:in )?(\S+)(?: (.*))?", line)
        kernel = re.match(r"(?:\[[^]]*\])?\s*(?:RIP: \w+:|\[<[0-9a-f]+>\] (?:\? "
                          r")?)([a-zA-Z_][\w.]*)\+0x(?!0/)", line)
        if stack and (user and user[1] == "0" or line.endswith("Call Trace:") and len(stack) > 1):
            break
        if user and user[2].startswith(("LLVMFuzzerRunDriver", "ExecuteFiles", "fuzzer::")):
            break
        if user:
            stack.append((user[2], (user[3] or "").replace(f"{TOP}/", "")))
        elif kernel:
            stack.append((kernel[1], ""))
        elif stack and not line.strip():
            break
    return stack


TITLES = (
    r"broken: ([^:]+): .*",
    r".*ERROR: (?:Address|Leak|Memory)Sanitizer: ([\w-]+).*",
    r".*: runtime error: (.*)",
    r".*BUG: KASAN: ([\w-]+ in \w+).*",
    r".*Kernel panic - not syncing: (?!BUG!)(.*)",
    r".*(UBSAN: .*)",
    r".*(?:BUG|WARNING): (.*)",
    r".*libFuzzer: (.*)",
)


def title(said, late):
    """What went wrong, in a few words without numbers, which differ from input to input."""
    if late:
        return "takes too long"
    for pattern in TITLES:
        for line in said.splitlines():
            if match := re.fullmatch(pattern, line):
                if line.startswith("broken:"):
                    return f"broken: {match[1]}"
                return re.sub(r"0x[0-9a-f]+|\d+", "N", match[1]).strip()
    return "crash"


def signature(said, late):
    """Two crashes with the same one are one."""
    guilty = [name for name, _ in frames(said) if not NOT_GUILTY.match(name)][:FRAMES]
    return " < ".join([title(said, late), *guilty])


# ---- What was kept ----

def replay_command(target, path):
    """The command that replays an input."""
    return [word.replace("{input}", path) for word in target["replay"]]


def replay(target, path):
    """As finish()."""
    return finish(replay_command(target, path), target.get("replay_seconds", 20), STACKS)


class Crash:
    """An input in crashes/. The smallest stands for those that fail in the same way."""

    def __init__(self, target, path):
        self.target, self.path = target, path
        self.kind = os.path.basename(path).split("-")[0]
        status, said, late = replay(target, path)
        self.fails = self.repeats = late or status != 0
        self.signature, self.title = signature(said, late), title(said, late)
        self.stack = frames(said)
        self.said = said.replace(f"{TOP}/", "").splitlines()[:SHOWN_LINES]
        self.order = os.path.getsize(path), path

    def smallest(self):
        """(path, size, command that replays it) of the input when it is minimised."""
        small = self.minimised()
        return small, os.path.getsize(small), replay_command(self.target, small)

    def size(self):
        """Bytes."""
        return os.path.getsize(self.path)

    def minimised(self):
        """A smaller input with the same signature, or the input itself."""
        if "minimise" not in self.target or self.kind != "crash" or not shutil.which("afl-tmin"):
            return self.path
        directory, name = os.path.split(self.path)
        small = f"{os.path.dirname(directory)}/minimised/{name}"
        if not os.path.exists(small) and not self.minimise(small):
            return self.path
        again = Crash(self.target, small)
        return small if again.fails and again.signature == self.signature else self.path

    def minimise(self, small):
        """Makes the smaller input; false: it could not be made."""
        os.makedirs(os.path.dirname(small), exist_ok=True)
        command = [os.path.join(TOP, self.target["minimise"][0]), *self.target["minimise"][1:]]
        finish(["afl-tmin", "-i", self.path, "-o", f"{small}.new", "-m", "none",
                "-t", str(self.target["timeout"]), "--", *command], MINIMISE_SECONDS,
               {"AFL_NO_AFFINITY": "1"})
        if not os.path.exists(f"{small}.new"):
            return False
        os.replace(f"{small}.new", small)
        return True


class Death:
    """A directory that a target has made itself, as fuzz/kernel's launcher does; its name has title
    and stack. To replay it makes it small, too. One that happens again stands for those that are
    the same."""

    fails = True

    def __init__(self, target, path):
        self.target, self.path = target, path
        status, said, _ = replay(target, path)
        self.repeats = status == 0
        # Alone it dies in a fresh guest, with nothing on the stack that earlier inputs have left
        # there.
        name = re.search(r"^crash with .*: (\S+)$", said, re.M) if self.repeats else None
        name = name[1] if name else os.path.basename(path)
        self.kind = "hang" if name.startswith("hang") else "crash"
        # What lies behind the bytes that are read, KASAN says, differs from input to input.
        self.signature = re.sub("KASAN-.*-in-", "KASAN-in-", name)
        log = read_log(f"{path}/minimised.log" if self.repeats else f"{path}/cause")
        self.title, self.stack = title(log, False), frames(log)
        self.said = log.splitlines()[-SHOWN_LINES:]
        self.needed = "minimised" if self.repeats else "ring"
        self.order = not self.repeats, self.size_of(self.needed), self.size(), path

    def inputs(self, name):
        """The inputs in one of its directories."""
        return glob.glob(f"{glob.escape(self.path)}/{name}/*")

    def size_of(self, name):
        """Bytes of these."""
        return sum(map(os.path.getsize, self.inputs(name)))

    def smallest(self):
        """(path, size, command that replays it) of the inputs that it takes."""
        inputs = self.inputs(self.needed)
        small = inputs[0] if len(inputs) == 1 else f"{self.path}/{self.needed}"
        return small, self.size_of(self.needed), replay_command(self.target, self.path)

    def size(self):
        """Bytes of all inputs before the death."""
        return self.size_of("ring")


def kept(target, where):
    """All that a campaign has kept."""
    if "deaths" in target:
        inputs = glob.glob(target["deaths"].replace("{dir}", glob.escape(where)) + "/*/input")
        return [Death(target, os.path.dirname(path)) for path in inputs]
    return [Crash(target, path) for path in glob.glob(f"{glob.escape(where)}/crashes/*-*")
            if not path.endswith(".new")]


def groups(target, where):
    """(one entry for each signature, paths that do nothing when run alone)."""
    found, silent = {}, []
    for one in sorted(kept(target, where), key=lambda one: one.order):
        if one.fails:
            found.setdefault(one.signature, []).append(one)
        else:
            silent.append(relative(one.path))
    return [entry(name, ones) for name, ones in sorted(found.items())], silent


def identifier(name):
    """An anchor."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def entry(name, ones):
    """What the report has of those with the same signature; the first stands for them."""
    first = ones[0]
    small, size, command = first.smallest()
    return {"id": identifier(name), "signature": name, "kind": first.kind, "title": first.title,
            "inputs": [relative(one.path) for one in ones], "repeats": first.repeats,
            "smallest": relative(small), "size": first.size(), "smallest_size": size,
            "replay": " ".join(map(relative, command)),
            "stack": [" ".join(frame).strip() for frame in first.stack[:SHOWN_FRAMES]],
            "said": first.said}
