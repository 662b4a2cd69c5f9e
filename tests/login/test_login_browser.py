"""The login in a real browser: Xero's consent page, the redirect, and the final page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from xero_sandbox import Sandbox

from .chromium import NAMES, Chromium, program
from .conftest import Login

Start = Callable[..., Login]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    path = program()
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on PATH, and CHROMIUM names none")
    with Chromium(path, tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


def shown(chromium: Chromium) -> dict[str, Any]:
    """The visible text of the page, and whether it fits the window."""
    seen: dict[str, Any] = chromium.run(
        """({
            title: document.title,
            heading: document.querySelector('h1').innerText,
            text: document.querySelector('main p').innerText,
            listed: [...document.querySelectorAll('li')].map(row => row.innerText.split(/\\s*\\n\\s*/)),
            host: location.host,
            styled: getComputedStyle(document.querySelector('main')).borderTopLeftRadius,
            fits: document.documentElement.scrollWidth <= innerWidth,
        })"""
    )
    return seen


def asked_for(chromium: Chromium) -> set[str]:
    """The hosts that the browser has called since the last click."""
    urls = [
        event["params"]["request"]["url"]
        for event in chromium.events
        if event.get("method") == "Network.requestWillBeSent"
    ]
    return {urlsplit(url).hostname or "" for url in urls if urlsplit(url).scheme.startswith("http")}


def test_a_user_who_allows_access_sees_a_page_with_the_connected_organisations(
    xero: Sandbox, login: Start, chromium: Chromium, tmp_path: Path
) -> None:
    running = login()
    chromium.open(running.url())
    chromium.click("button[value='1']")
    seen = shown(chromium)
    assert seen["heading"] == seen["title"] == "Connected to 3 organisations"
    assert seen["text"] == "The tokens are stored. You can close this window."
    assert seen["listed"] == [[one["name"], one["tenant_id"]] for one in xero.admin.organisations()]
    assert seen["host"] == urlsplit(running.asked()["redirect_uri"]).netloc
    assert seen["styled"] == "14px"  # the page's style passes its content security policy
    assert running.end().code == 0
    for width in (360, 900):
        chromium.screenshot(tmp_path / f"{width}.png", width=width)
        assert shown(chromium)["fits"]


def test_one_organisation_is_named_in_the_heading(xero: Sandbox, login: Start, chromium: Chromium) -> None:
    name = xero.admin.organisations()[0]["name"]
    running = login()
    chromium.open(running.url())
    chromium.run(
        "document.querySelectorAll('[name=sandbox_tenant]').forEach((box, n) => { box.checked = n == 0 })"
    )
    chromium.click("button[value='1']")
    assert shown(chromium)["heading"] == f"Connected to {name}"
    assert running.end().code == 0


def test_a_user_who_cancels_sees_a_page_that_says_so(login: Start, chromium: Chromium) -> None:
    running = login()
    chromium.open(running.url())
    chromium.click("button[value='deny']")
    seen = shown(chromium)
    assert seen["heading"] == "Access was not allowed"
    assert "choose 'Allow access'" in seen["text"]
    assert running.end().code == 1


def test_the_page_loads_nothing_from_other_hosts(login: Start, chromium: Chromium) -> None:
    running = login()
    chromium.open(running.url())
    chromium.click("button[value='1']")
    assert asked_for(chromium) == {"localhost", "127.0.0.1"}
    assert not [event for event in chromium.events if event.get("method") == "Runtime.exceptionThrown"]
    assert running.end().code == 0
