#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests are locked in. prisoner is PID 1 of a guest and escape is run in the place of the guest's
kernel: both attack victims on the host, and no attack may succeed. Without confinement every attack
must succeed, or it would prove nothing.

Needs the guest plain and belongs to `make test-kernel`. Without root, attacks that need root are
skipped."""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from erofs_ishare import tap
from erofs_ishare.files import read, write

RUN = [f"{tap.TOP}/kernel/uml/run-guest", "--timeout", "60"]
GUESTS = f"{tap.TOP}/build/kernel"
PROGRAMS = f"{GUESTS}/tests"
IS_ROOT = os.geteuid() == 0

# A user without other processes, for what needs no root.
USER = 54321

# What no guest can do, locked in or not: it has no network and processes of its own.
NEVER = ["kills", "connects"]

# Runs the guest as it is.
NO_LOCK = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""


class Victims:
    """The targets of the attacks."""

    def __init__(self, top):
        self.shown = write(f"{top}/shown", "shown\n")
        self.secret = write(f"{top}/secret", "secret\n")
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.abstract, self.path = (socket.socket(socket.AF_UNIX) for _ in range(2))
        self.abstract.bind(f"\0{top}")
        self.path.bind(f"{top}/socket")
        os.chmod(f"{top}/socket", 0o777)
        for listener in (self.abstract, self.path):
            listener.listen(100)
        self.process = subprocess.Popen([sys.executable, "-c",
                                         "import signal, time\nsignal.signal(signal.SIGUSR1, "
                                         "signal.SIG_IGN)\nprint('ready', "
                                         "flush=True)\ntime.sleep(1000)"],
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.shm = self.libc.shmget(0, 4096, 0o666)
        self.top = top

    def arguments(self, datagram=""):
        """For escape."""
        with open(f"/proc/{self.process.pid}/maps", encoding="ascii") as maps:
            address = maps.readline().split("-")[0]
        return [f"secret={self.secret}", f"shown={self.shown}", f"port={self.tcp.getsockname()[1]}",
                f"abstract={self.top}", f"socket={self.top}/socket", f"process={self.process.pid}",
                f"address=0x{address}", f"shm={self.shm}", f"datagram={datagram}"]

    def environment(self):
        """For prisoner."""
        return [f"SECRET={self.secret}", f"SHOWN={self.shown}", f"PROCESS={self.process.pid}",
                f"PORT={self.tcp.getsockname()[1]}"]

    def are_well(self):
        """Nothing has happened to them."""
        return (self.process.poll() is None and read(self.shown) == "shown\n"
                and read(self.secret) == "secret\n"
                and os.stat(self.shown).st_mode & 0o777 == 0o644)

    def heal(self):
        """As they were."""
        write(self.shown, "shown\n")
        write(self.secret, "secret\n")

    def end(self):
        """Takes them away."""
        self.process.kill()
        self.process.communicate()
        self.libc.shmctl(self.shm, 0, None)
        for listener in (self.tcp, self.abstract, self.path):
            listener.close()


def words(text, what):
    """The rest of the line after these words."""
    for line in text.splitlines():
        if (at := line.find(f"{what}:")) >= 0:
            return line[at + len(what) + 1:].split()
    return []


def build_directory(top, kernel=None, confine=None):
    """A KERNEL_BUILD in which some part is another."""
    build = tempfile.mkdtemp(dir=top)
    os.chmod(build, 0o755)
    os.mkdir(f"{build}/plain")
    shutil.copy(kernel or f"{GUESTS}/plain/linux", f"{build}/plain/linux")
    for name in ("init", "plain/guest.json", "plain/.config"):
        shutil.copy(f"{GUESTS}/{name}", f"{build}/{name}")
    if confine:
        write(f"{build}/confine", confine, 0o755)
    else:
        shutil.copy(f"{GUESTS}/confine", f"{build}/confine")
    return build


def run(build, *command, **options):
    """run-guest, with that KERNEL_BUILD."""
    return subprocess.run([*RUN, *command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace",
                          env=os.environ | {"KERNEL_BUILD": build}, check=False, **options)


def escape_confined(victims, top, name, **options):
    """Nothing of it succeeds in the place of a guest's kernel."""
    build = build_directory(top, kernel=f"{PROGRAMS}/escape")
    arguments = [f"--append={argument}" for argument in victims.arguments()]
    done = run(build, "--file", victims.shown, *arguments, f"{PROGRAMS}/init", **options)
    tap.ok(len(words(done.stderr, "tried")) > 30, f"{name}: the kernel's place is taken",
           done.stdout, done.stderr)
    tap.is_empty(words(done.stderr, "succeeded"), f"{name}: nothing succeeds that it tries")
    tap.ok(victims.are_well(), f"{name}: the victims are well")
    return words(done.stderr, "user")


def escape_unconfined(victims, top):
    """Each attempt succeeds without confinement."""
    if not IS_ROOT:
        tap.skip("without the lock, all of that succeeds", "takes root")
        return
    directory = os.open(top, os.O_RDONLY)
    with tempfile.TemporaryDirectory(dir=top) as own:
        done = subprocess.run(["unshare", "--mount", f"{PROGRAMS}/escape", *victims.arguments()],
                              cwd=own,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              pass_fds=[directory])
    os.close(directory)
    tried, succeeded = (words(done.stdout, what) for what in ("tried", "succeeded"))
    tap.is_empty(sorted(set(tried) - set(succeeded)), "without the lock, all of that succeeds")
    tap.ok(len(tried) > 30, "and all of it was tried", done.stdout, done.stderr)
    victims.heal()


def misled(victims, top):
    """run-guest does not follow a link of the guest's to a socket of the host's."""
    build = build_directory(top, kernel=f"{PROGRAMS}/escape")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        datagram.bind(f"{top}/datagram")
        os.chmod(f"{top}/datagram", 0o777)
        arguments = [f"--append={argument}" for argument in victims.arguments(f"{top}/datagram")]
        done = run(build, "--timeout", "1", *arguments, f"{PROGRAMS}/init")
        tap.ok(done.returncode == 3 and "hung" in done.stderr,
               "a guest that hangs leads to a socket of the host's", done.stderr)
        try:
            said = datagram.recv(8192, socket.MSG_DONTWAIT)
        except BlockingIOError:
            said = b""
    tap.ok(not said, "and run-guest does not go there", said)


def prisoner(victims, build):
    """The attacks of a guest's PID 1, and which of them succeeded."""
    done = run(build, "--file", victims.shown, f"{PROGRAMS}/prisoner", *victims.environment())
    tap.ok(done.returncode == 0 and words(done.stdout, "shown") == ["yes"],
           "a guest sees what it is shown", done.stdout, done.stderr)
    return words(done.stdout, "tried"), words(done.stdout, "succeeded")


def prisoners(victims, top):
    """A guest's PID 1, locked in and not."""
    tried, succeeded = prisoner(victims, GUESTS)
    tap.ok(len(tried) > 10, "the guest's PID 1 tries to get at the host", tried)
    tap.is_empty(succeeded, "and nothing of that succeeds")
    tap.ok(victims.are_well(), "the victims are well")
    if not IS_ROOT:
        tap.skip("without the lock, all of that succeeds", "takes root")
        return
    tried, succeeded = prisoner(victims, build_directory(top, confine=NO_LOCK))
    tap.is_empty(sorted(set(tried) - set(succeeded) - set(NEVER)),
                 "without the lock, all of that succeeds")
    victims.heal()


def refuses(name, done, *wanted):
    """The guest did not run, with one line of explanation."""
    said = done.stderr.splitlines()
    tap.ok(done.returncode == 2 and len(said) == 1 and all(word in said[0] for word in wanted)
           and not done.stdout,
           f"{name}: the guest does not run", f"status {done.returncode}", done.stdout, done.stderr)


def refusals(top):
    """A guest that cannot be locked in does not run."""
    secret = write(f"{top}/own", "", 0o600)
    init = f"{PROGRAMS}/init"
    refuses("a file that is not there", run(GUESTS, "--file", "/nonexistent", init), "/nonexistent")
    if not IS_ROOT:
        tap.skip("a file that only root can read", "takes root")
        tap.skip("no right to lock it in", "takes root")
        return
    refuses("a file that only root can read", run(GUESTS, "--file", secret, init), secret,
            "chmod o+r")
    done = subprocess.run(["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin",
                           *RUN, init],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    refuses("no right to lock it in", done, "locked in", "CAP_SYS_ADMIN")


def main():
    status, said = tap.make(*(f"build/kernel/tests/{name}"
                              for name in ("init", "prisoner", "escape")))
    if not tap.ok(status == 0 and os.path.exists(f"{GUESTS}/confine"),
                  "there is something to try", said):
        tap.done()
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        victims = Victims(top)
        try:
            prisoners(victims, top)
            user = escape_confined(victims, top, "started by root" if IS_ROOT
                                   else "started by a user")
            tap.ok("0" not in user, "and is not root", user)
            if IS_ROOT:
                user = escape_confined(victims, top, "started by a user", user=USER, group=USER,
                                       extra_groups=[])
                tap.ok(user == [str(USER)] * 2, "which is whom it is run as", user)
            else:
                tap.skip("started by root", "takes root")
            escape_unconfined(victims, top)
            misled(victims, top)
            refusals(top)
        finally:
            victims.end()
    tap.done()


if __name__ == "__main__":
    main()
