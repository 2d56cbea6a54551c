# SPDX-License-Identifier: Apache-2.0
"""Firefox, headless, driven through Marionette, its own remote control, as a person would use it.

  firefox.py PROGRAM PROFILE COMMAND... -- PROGRAM is started with PROFILE, and ends at the end
    visit URL SERIAL PIN   prints the page; asked for a certificate, picks the one with SERIAL
                           (hex, of the certificate), and asked for a PIN, gives PIN
    devices TOKEN FILE     prints the name of each token, one per line; FILE is a picture (PNG) of the
                           window of security devices, where TOKEN is selected
"""
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time

SECONDS = 90
SANDBOX = {"chrome": "system", "content": "default"}

# What a person does at the two windows, once they are there. A PIN that is asked for again was wrong.
PERSON = """
const [serial, pin] = arguments;
const seen = { chosen: "", asked: 0 };
Services.smartcaSeen = seen;
Services.obs.addObserver(dialog => {
    const list = dialog.ownerDocument.getElementById("nicknames");
    const items = [...list.menupopup.children];
    const number = label => label.replace(/.*\\[|[^0-9A-F]/g, "").replace(/^0+/, "");
    const item = items.find(one => number(one.label) == serial);
    seen.offered = items.map(one => one.label);
    if (!item) return dialog.cancelDialog();
    list.selectedItem = item;
    seen.chosen = item.label;
    dialog.acceptDialog();
}, "cert-dialog-loaded");
Services.obs.addObserver(window => {
    const document = window.document;
    seen.text = document.getElementById("infoBody").textContent;
    if (seen.asked++) return document.getElementById("commonDialog").cancelDialog();
    document.getElementById("password1Textbox").value = pin;
    document.getElementById("commonDialog").acceptDialog();
}, "common-dialog-loaded");
"""
OPEN = """
const [url] = arguments;
gBrowser.fixupAndLoadURIString(url, {
    triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal() });
"""
IS_LOADED = """
const [url] = arguments;
const browser = gBrowser.selectedBrowser;
return !browser.webProgress.isLoadingDocument && browser.currentURI.spec.startsWith(url)
    && [browser.documentURI.spec, Services.smartcaSeen];
"""
TOKENS = """
const [resolve] = arguments;
Cc["@mozilla.org/security/pkcs11moduledb;1"].getService(Ci.nsIPKCS11ModuleDB).listModules()
    .then(all => resolve(all.flatMap(one => one.slots.map(slot => slot.tokenName || ""))));
"""
# Selects the slot of a token, in a first column wide enough to read; true when its details are all there.
SELECT = """
const [token] = arguments;
const document = gBrowser.selectedBrowser.contentDocument;
const tree = document.getElementById("device_tree");
tree.style.minWidth = "24em";
for (let row = 0; row < tree.view.rowCount; row++)
    if (tree.view.getItemAtIndex(row).slotObject?.tokenName == token && tree.currentIndex != row)
        tree.view.selection.select(row);
const details = [...document.querySelectorAll("#info_list treecell")];
return details.length > 0 && details.every(cell => cell.getAttribute("label"));
"""


class Firefox:
    def __init__(self, program, profile):
        self.number = 0
        self.end = time.monotonic() + SECONDS
        self.process = subprocess.Popen(
            [program, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access",
             "--profile", profile], stdin=subprocess.DEVNULL, stdout=sys.stderr)
        try:
            port = self.wait(lambda: self._port(profile), "Firefox to start")
            self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
            self.file = self.socket.makefile("rb")
            self._read()
            self.call("WebDriver:NewSession")
        except BaseException:
            self.process.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.call("Marionette:Quit", {"flags": ["eAttemptQuit"]})
                self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()

    def wait(self, ready, what):
        while time.monotonic() < self.end:
            if self.process.poll() is not None:
                raise RuntimeError(f"Firefox ended with {self.process.returncode}")
            if result := ready():
                return result
            time.sleep(0.05)
        raise TimeoutError(f"waited {SECONDS} s for {what}")

    @staticmethod
    def _port(profile):
        try:
            with open(os.path.join(profile, "MarionetteActivePort"), encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def _read(self):
        length = b""
        while (byte := self.file.read(1)) != b":":
            if not byte:
                raise ConnectionError("Firefox has closed its connection")
            length += byte
        return json.loads(self.file.read(int(length)))

    def call(self, command, parameters=None):
        """Sends a command: [0, number, name, parameters], answered by [1, number, error, result]."""
        self.number += 1
        text = json.dumps([0, self.number, command, parameters or {}]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._read()
        if error:
            raise RuntimeError(f"{command}: {error['error']}: {error['message']}")
        return result

    def script(self, text, *arguments, wait=False, context="chrome"):
        """Runs JavaScript with the rights of Firefox itself, or of the page (context = content)."""
        self.call("Marionette:SetContext", {"value": context})
        command = "WebDriver:ExecuteAsyncScript" if wait else "WebDriver:ExecuteScript"
        return self.call(command, {"script": text, "args": arguments, "sandbox": SANDBOX[context]})["value"]

    def visit(self, url, serial, pin):
        self.script(PERSON, serial, pin)
        self.script(OPEN, url)
        address, seen = self.wait(lambda: self.script(IS_LOADED, url), url)
        print(json.dumps(seen, ensure_ascii=False), file=sys.stderr)
        print(f"certificate: {seen['chosen']}\nPIN asked: {seen['asked']}\naddress: {address}")
        print(self.script("return document.body.innerText", context="content"))

    def devices(self, token, path):
        print("\n".join(self.script(TOKENS, wait=True)))
        self.call("WebDriver:SetWindowRect", {"width": 1200, "height": 640})
        self.call("Marionette:SetContext", {"value": "content"})
        self.call("WebDriver:Navigate", {"url": "chrome://pippki/content/device_manager.xhtml"})
        self.wait(lambda: self.script(SELECT, token), token)
        self.call("Marionette:SetContext", {"value": "content"})
        png = self.call("WebDriver:TakeScreenshot", {"full": False})["value"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(png))


def main(program, profile, command, *arguments):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))
    with Firefox(program, profile) as firefox:
        getattr(firefox, command)(*arguments)


main(*sys.argv[1:])
