"""A headless Chromium, driven by its DevTools protocol."""

import base64
import contextlib
import json
import time

import websocket

from lib.exposition import require
from lib.servers import running, until_true

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)


class Tab:
    """The only tab. `complaints` has what a reader of the console would see, and everything that threw."""

    session = None  # before there is one, the browser itself is called

    def __init__(self, address):
        # With an Origin header Chromium would refuse the connection.
        self.socket = websocket.create_connection(address, timeout=20, suppress_origin=True)
        self.sent = 0
        self.events = []
        self.complaints = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while (answer := self.receive()).get("id") != self.sent:
            pass
        require("error" not in answer, f"{method}: {answer.get('error')}")
        return answer["result"]

    def receive(self):
        message = json.loads(self.socket.recv())
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.complaints.append(json.dumps(parameters))
        if method:
            self.events.append(method)
        return message

    def open(self, url, width, height, scheme):
        """Opens a page as a window of that width shows it, in a light or dark colour scheme."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        failed = self.call("Page.navigate", url=url).get("errorText")
        require(not failed, f"{url}: {failed}")
        deadline = time.monotonic() + 20
        while "Page.loadEventFired" not in self.events:
            require(time.monotonic() < deadline, f"{url} did not load")
            self.receive()

    def value(self, expression):
        """The value of a JavaScript expression. It is the debugger's, so that no policy of the page forbids it."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        require("exceptionDetails" not in result, f"{expression}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    def heard(self):
        """The complaints, those included that are on their way."""
        self.value("1")
        return self.complaints

    def picture(self, path):
        """What the window shows, as PNG."""
        picture = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(picture["data"]))


@contextlib.contextmanager
def chromium(program, folder):
    """A browser with a new profile in `folder`, and a tab of it."""
    profile = folder / "profile"
    log = folder / "chromium.log"
    with running(log, program, *FLAGS, f"--user-data-dir={profile}", "about:blank") as process:
        port = profile / "DevToolsActivePort"

        def address():
            require(process.poll() is None, f"Chromium ended: {log.read_text()[-2000:]}")
            lines = port.read_text().splitlines()
            require(len(lines) == 2, "Chromium has not said where it listens")
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"

        yield Tab(until_true(30, address))
