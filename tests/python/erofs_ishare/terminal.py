# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What a program shows on a terminal."""

import os
import pty
import subprocess
import termios
import threading

END = b"\0the program has ended\0"


def run(command, *, streams, columns=0, environment=None):
    """Runs a command with `streams` ("stdin", "stdout", "stderr") on a terminal and the others
    closed to it; returns its status and the bytes that the terminal got.

    When the last writer closes a pseudo-terminal, Linux can lose what the reader has not read.
    So this process keeps the writers' end open, and a mark says where the output ends."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    process = subprocess.Popen(command, env=environment, **{
        stream: slave if stream in streams else subprocess.DEVNULL
        for stream in ("stdin", "stdout", "stderr")})

    def mark_end():
        process.wait()
        os.write(slave, END)

    marker = threading.Thread(target=mark_end)
    marker.start()
    shown = b""
    while not shown.endswith(END):
        shown += os.read(master, 65536)
    marker.join()
    os.close(slave)
    os.close(master)
    return process.returncode, shown.removesuffix(END)
