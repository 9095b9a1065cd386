"""A real browser for tests: Chromium driven over the WebDriver protocol, with nothing to install.

Tests that use it skip, saying so, where no chromium and chromedriver are found.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, section 11: element identifier
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)


def programs() -> tuple[str, str] | None:
    """Paths of chromium and its driver, or ``None`` where one is missing."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """One headless window; a context manager."""

    def __init__(self) -> None:
        found = programs()
        if found is None:
            raise RuntimeError("chromium and chromedriver are not installed")
        browser, driver = found
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait()
        options = {"binary": browser, "args": [*FLAGS, f"--user-data-dir={self._profile.name}"]}
        wanted = {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{answer['sessionId']}"

    def _wait(self) -> None:
        for _ in range(100):
            try:
                if self._call("GET", "/status")["ready"]:
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("chromedriver did not start")

    def _call(self, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, method=verb)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(error.read().decode(errors="replace")[:800]) from None

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the Chrome DevTools protocol."""
        body = {"cmd": name, "params": parameters}
        return self._call("POST", f"{self._session}/goog/cdp/execute", body)

    def show(
        self,
        page: Path,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        phone: bool = False,
        scripts: bool = True,
    ) -> None:
        """Load a file as a window of that size would."""
        scheme = "dark" if dark else "light"
        self.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._call("POST", f"{self._session}/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a script, run in the page from outside (its policy does not bind us)."""
        body = {"script": script, "args": list(arguments)}
        return self._call("POST", f"{self._session}/execute/sync", body)

    def find(self, selector: str) -> str:
        """The id of the first element that matches a CSS selector."""
        body = {"using": "css selector", "value": selector}
        return str(self._call("POST", f"{self._session}/element", body)[ELEMENT])

    def press(self, element: str, keys: str) -> None:
        """Focus an element and press keys, as a person at a keyboard does."""
        self._call("POST", f"{self._session}/element/{element}/value", {"text": keys})

    def click(self, element: str) -> None:
        """Click an element in its middle."""
        self._call("POST", f"{self._session}/element/{element}/click", {})

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Entries of the ``browser`` (console) or ``performance`` (network) log since last time."""
        return list(self._call("POST", f"{self._session}/se/log", {"type": kind}))

    def requests(self) -> list[str]:
        """Addresses that the page asked for since last time."""
        found = []
        for entry in self.log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        # The empty first tab of a new window asks for pieces of the browser itself.
        return [url for url in found if not url.startswith("chrome:")]

    def picture(self, *, whole: bool = True) -> bytes:
        """A PNG of the page (of the window only, unless ``whole``)."""
        answer = self.command(
            "Page.captureScreenshot",
            format="png",
            captureBeyondViewport=whole,
            **({"clip": self._page_box()} if whole else {}),
        )
        return base64.b64decode(answer["data"])

    def _page_box(self) -> dict[str, float]:
        size = self.command("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}

    def pdf(self) -> bytes:
        """The page as printed on A4."""
        page = {"width": 21.0, "height": 29.7}
        return base64.b64decode(self._call("POST", f"{self._session}/print", {"page": page}))

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._call("DELETE", self._session)
        finally:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._profile.cleanup()
