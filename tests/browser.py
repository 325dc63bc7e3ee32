"""A headless Chromium for tests of pages, driven through chromedriver by plain HTTP (W3C WebDriver)."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_START_S, _CALL_S = 120.0, 180.0
_ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--mute-audio", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip

# With these a browser draws WebGL without a graphics card.
WEBGL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")


def missing_browser() -> str | None:
    """Return the reason why tests skip the browser; None when it can be started, or must be."""
    if os.environ.get("TALK_TEST_BROWSER") == "needed":
        return None
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"needs {' and '.join(lacking)}: make browser" if lacking else None


class Browser:
    """One window of a browser."""

    def __init__(self, root: str, session: str) -> None:
        self._root = f"{root}/session/{session}"

    def open(self, page: Path) -> None:
        self._call("POST", "/url", {"url": page.as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run the body of a function in the page and return what it returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str, seconds: float = 120.0) -> Any:
        """Run `script` until what it returns is true."""
        end = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < end, f"waited {seconds} s for {script}"
            time.sleep(0.1)
        return found

    def errors(self) -> list[str]:
        """Return the console's messages since the last call, except those of level info."""
        found = self._call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in found if entry["level"] in ("SEVERE", "WARNING")]

    def resize(self, width: int, height: int) -> None:
        self._call("POST", "/window/rect", {"width": width, "height": height})

    def show(self, scheme: str) -> None:
        """Prefer the colour scheme `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", {"features": features})

    def command(self, name: str, parameters: dict[str, Any]) -> Any:
        """Send a command of Chromium's own protocol."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        shot = self.command("Page.captureScreenshot", {"captureBeyondViewport": True})
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        self._call("DELETE", "", None)

    def _call(self, method: str, path: str, body: Any) -> Any:
        return _http(method, self._root + path, body)


@contextlib.contextmanager
def browser(folder: Path, *more: str) -> Iterator[Browser]:
    """Start a browser whose profile and downloads lie in `folder`, with `more` arguments, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = f"http://127.0.0.1:{port}"
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    options = {
        "args": [*_ARGUMENTS, *more, f"--user-data-dir={folder / 'profile'}"],
        "binary": shutil.which("chromium"),
        "prefs": {"download.default_directory": str(downloads), "download.prompt_for_download": False},
    }
    wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    driver = subprocess.Popen(
        ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_ready(root)
        made = _http("POST", f"{root}/session", {"capabilities": {"alwaysMatch": wanted}})
        window = Browser(root, made["sessionId"])
        try:
            yield window
        finally:
            window.close()
    finally:
        driver.terminate()
        driver.wait()


def _until_ready(root: str) -> None:
    end = time.monotonic() + _START_S
    while True:
        with contextlib.suppress(OSError):
            _http("GET", f"{root}/status", None)
            return
        assert time.monotonic() < end, "chromedriver does not answer"
        time.sleep(0.1)


def _http(method: str, address: str, body: Any) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_CALL_S) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error
