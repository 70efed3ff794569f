# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""A headless Chromium that tests control through its debugging pipe."""

import base64
import json
import os
import shutil
import subprocess
import tempfile

from .files import write


class Browser:
    """One browser with one page."""

    def __init__(self):
        self.profile = tempfile.mkdtemp()
        to_browser, self.to = os.pipe()
        self.source, from_browser = os.pipe()
        # None of them is 3 or 4 any more, or is overwritten late.
        moved = [os.dup(fd) for fd in (to_browser, from_browser)]

        def descriptors():
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(moved)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--hide-scrollbars",
             "--disable-background-networking", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile}",
             "about:blank"], close_fds=False, preexec_fn=descriptors, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in (to_browser, from_browser, *moved):
            os.close(fd)
        self.buffer, self.number, self.session, self.events = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")
        self.call("Runtime.enable")

    def receive(self):
        """The next message."""
        while b"\0" not in self.buffer:
            data = os.read(self.source, 1 << 16)
            if not data:
                raise RuntimeError("chromium has ended")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        """Sends a command and waits for its result; keeps what happens meanwhile."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url, width, height=800, dark=False):
        """Loads a page for a screen of this size."""
        self.events = []
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.receive())

    def ask(self, expression):
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"].get("description"))
        return result["result"].get("value")

    def loaded(self):
        """The addresses that the page asked for."""
        return [e["params"]["request"]["url"] for e in self.events
                if e.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        """Errors of its script."""
        return [e["params"]["exceptionDetails"]["text"] for e in self.events
                if e.get("method") == "Runtime.exceptionThrown"]

    def picture(self, name):
        """A PNG of what is on the screen."""
        write(name, base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        """Ends the browser."""
        self.process.terminate()
        self.process.wait()
        os.close(self.to)
        os.close(self.source)
        shutil.rmtree(self.profile, ignore_errors=True)
