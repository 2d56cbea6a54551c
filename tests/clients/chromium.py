# SPDX-License-Identifier: Apache-2.0
"""Chromium on an X server that has no screen; its windows are answered with the keyboard.

  chromium.py PROFILE URL PIN [OPTION...] -- prints the page, and how often the PIN was asked for; the options
              are for Chromium
"""
import json
import os
import signal
import subprocess
import sys
import time

SECONDS = 60
# A page in a window that has no address bar, where Return would load it again.
EMPTY = "data:text/html,<title>empty</title>"
PIN_WINDOW = "^Unlock Security Device$"
PAGE_WINDOW = "^empty$"


END = time.monotonic() + SECONDS


def wait(ready, what):
    while not ready():
        if time.monotonic() > END:
            raise TimeoutError(f"waited {SECONDS} s for {what}")
        time.sleep(0.05)


class Screen:
    """An X server, and the keys a person presses there."""

    def __init__(self):
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "Xvfb", "-displayfd", str(writer), "-screen", "0", "1000x700x24", "-nolisten", "tcp"],
            pass_fds=[writer], stdin=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as file:
            self.environment = dict(os.environ, DISPLAY=":" + file.readline().strip())

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.terminate()
        self.process.wait(20)

    def xdotool(self, *arguments):
        return subprocess.run(["xdotool", *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=20, check=False).stdout

    def windows(self, name):
        return self.xdotool("search", "--onlyvisible", "--name", name).split()


class Chromium:
    """Chromium's own remote control: JSON, ended by a zero byte, on its descriptors 3 and 4."""

    def __init__(self, screen, profile, options):
        self.number = 0
        self.buffer = b""
        inner, self.commands = os.pipe()
        self.answers, outer = os.pipe()
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec chromium "$@" 3<&{inner} 4>&{outer}', "chromium", "--no-sandbox",
             "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--remote-debugging-pipe",
             f"--user-data-dir={profile}", f"--app={EMPTY}", *options],
            env=screen.environment, pass_fds=[inner, outer], stdin=subprocess.DEVNULL, stdout=sys.stderr,
            start_new_session=True)
        os.close(inner)
        os.close(outer)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.call("Browser.close")
                if self.process.wait(30) != 0:
                    raise RuntimeError(f"Chromium ended with {self.process.returncode}")
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()

    def _read(self):
        while b"\0" not in self.buffer:
            part = os.read(self.answers, 1 << 16)
            if not part:
                raise ConnectionError("Chromium has closed its connection")
            self.buffer += part
        one, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self.number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def page(self):
        """The one page as far as it is there."""
        pages = [one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        return pages[0] if pages else {"title": ""}

    def attach(self):
        return self.call("Target.attachToTarget", targetId=self.page()["targetId"], flatten=True)["sessionId"]

    def value(self, session, expression):
        return self.call("Runtime.evaluate", session, expression=expression)["result"].get("value")


def answer_windows(screen, pin, asked):
    """Types the PIN if there is a window for it, whose name goes to asked. Return else takes the one
    certificate of the frame that asks for it, a part of the page's window; where there is none, Return does
    nothing. It is sent to that window alone: in a PIN window that has just opened it would cancel."""
    if windows := screen.windows(PIN_WINDOW):
        asked.add(windows[0])
        screen.xdotool("windowfocus", "--sync", windows[0], "key", "ctrl+a")
        screen.xdotool("type", "--delay", "1", pin)
        screen.xdotool("key", "Return")
        patience = time.monotonic() + 3
        while screen.windows(PIN_WINDOW) == windows and time.monotonic() < patience:
            time.sleep(0.05)
        return
    for window in screen.windows(PAGE_WINDOW):
        screen.xdotool("key", "--window", window, "Return")
    time.sleep(0.1)


def main(profile, url, pin, *options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))
    with Screen() as screen, Chromium(screen, profile, options) as chromium:
        # The title is looked at, not the page: a question to a page that is about to be left is never answered.
        wait(lambda: chromium.page()["title"] == "empty", "the empty page")
        chromium.value(chromium.attach(), f"location.href = {json.dumps(url)}")
        asked = set()
        while chromium.page()["title"] == "empty":
            answer_windows(screen, pin, asked)
            if time.monotonic() > END:
                raise TimeoutError(f"waited {SECONDS} s for {url}")
        session = chromium.attach()
        wait(lambda: chromium.value(session, "document.readyState") == "complete", url)
        print(f"PIN asked: {len(asked)}\naddress: {chromium.value(session, 'location.href')}")
        print(chromium.value(session, "document.body.innerText"))


main(*sys.argv[1:])
