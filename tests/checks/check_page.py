#!/usr/bin/env python3
"""check_page.py EXPORTER CHROMIUM [PICTURES]

Looks at the status page with a browser: an exporter reads two simulated operations, one of them with a wrong token. With
PICTURES, a folder, it also waits until there is something to see and saves the pictures of the README there.
"""

import contextlib
import pathlib
import re
import signal
import sys
import tempfile
import time

from lib.browser import chromium
from lib.exposition import require
from lib.servers import Checks, first_url, get, running, until_true

EXPORTER, CHROMIUM, *PICTURES = sys.argv[1:]
WINDOWS = [
    (width, scheme, language)
    for width in (1280, 750, 390)
    for scheme in ("light", "dark")
    for language in ("en", "es")
]
WORDS = {
    "en": (
        "1 of 6 reports failing in 2 operations",
        "What to do: put a valid token into the token file",
        "failing: auth",
        "dialling",
    ),
    "es": (
        "1 de 6 reportes con fallas en 2 operaciones",
        "Qué hacer: ponga un token válido en el archivo del token",
        "falla: autenticación",
        "marcando",
    ),
}
CONFIG = """
new_series_hold: 0s
operations:
  - name: medellin
    url: {url}
    token_file: medellin.token
    daily_calls: 1000000
    reports:
      campaigns: {{interval: 5s}}
      call_durations: {{interval: 5s}}
      abandoned_calls: {{interval: 5s}}
      preview_calls: {{interval: 5s, settle: 0s}}
      ivr: {{interval: 5s, settle: 0s}}
  - name: valparaiso
    url: {url}
    token_file: wrong.token
    timezone: America/Santiago
    reports:
      campaigns: {{interval: 60s}}
"""
# Elements that reach out of the window; what is there for screen readers alone is cut off by its own.
OUTSIDE = """
[...document.querySelectorAll('body *:not(thead, thead *)')]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 1).map(element => element.outerHTML.slice(0, 99))
"""


def text_of(tab):
    return tab.value("document.body.innerText")


def check_page(tab, url, width, scheme, language):
    tab.complaints.clear()
    tab.open(f"{url}/?lang={language}", width, 844, scheme)
    text = text_of(tab)
    for expected in (*WORDS[language], "valparaiso (campaigns)", "abandoned_calls"):
        require(expected in text, f"{expected!r} is not on the page: {text[:600]}")
    require(tab.value("document.documentElement.lang") == language, "the page is in another language")
    require(tab.value("innerWidth") == width, f"the window is {tab.value('innerWidth')} wide")
    scroll = tab.value("document.documentElement.scrollWidth")
    require(scroll <= width, f"the page is {scroll} wide")
    require(not (outside := tab.value(OUTSIDE)), f"out of the window: {outside}")
    # The style sheet is applied, so its hash is right.
    background = tab.value("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", background)[:3])) > 380
    require(light == (scheme == "light"), f"the background is {background}")
    require(not tab.heard(), f"the console says {tab.heard()}")


def check_links(tab, url):
    tab.open(url, 1280, 844, "light")
    links = tab.value("[...document.querySelectorAll('a')].map(a => a.href)")
    require(f"{url}/metrics" in links and f"{url}/?operation=valparaiso" in links, f"the links are {links}")
    for link in set(links):
        get(link)
    tab.open(f"{url}/?operation=valparaiso", 1280, 844, "light")
    require("All 2 operations" in text_of(tab), "an operation has no page of its own")
    require("call_durations" not in text_of(tab), "the page of an operation shows another one")
    follow = "[...document.querySelectorAll('a')].find(a => a.innerText == '{}').href"
    tab.open(tab.value(follow.format("Español")), 1280, 844, "light")
    require("Hora local" in text_of(tab), "the page of an operation is not in Spanish")
    tab.open(tab.value(follow.format("← Las 2 operaciones")), 1280, 844, "light")
    require("Todo en orden" in text_of(tab) or "con fallas" in text_of(tab), "the language is lost on the way")


def check_reload(tab, url):
    tab.open(url, 1280, 844, "light")
    before = tab.value("performance.timeOrigin")

    def is_loaded_again():
        require(tab.value("document.readyState") == "complete", "it is loading")
        require(tab.value("performance.timeOrigin") > before, "it is the same page still")

    until_true(20, is_loaded_again)
    require("1 of 6 reports failing" in text_of(tab), "the page is another one")


def check_policy(tab, url):
    """Nothing that got into the page would do harm. Also shows that complaints are heard."""
    attacks = {
        "style": "<p id=attack style='position: fixed'>",
        "image": f"<img id=attack src='{url}/-/healthy'>",
        "script": "<p id=attack onclick='document.title = \"attacked\"'>",
    }
    for name, attack in attacks.items():
        tab.open(url, 1280, 844, "light")
        tab.complaints.clear()
        tab.value(f"document.body.insertAdjacentHTML('beforeend', {attack!r}), document.getElementById('attack').click()")
        until_true(5, lambda: require("Content Security Policy" in str(tab.heard()), "nobody complained"))
        require(tab.value("document.title") != "attacked", f"a {name} was run")


def take_pictures(tab, url, folder):
    time.sleep(200)
    for name, width, height, scheme, language in (
        ("status-desktop", 1280, 1990, "light", "en"),
        ("status-phone", 390, 1500, "dark", "en"),
        ("status-es-desktop", 1280, 1990, "light", "es"),
        ("status-es-phone", 390, 1500, "dark", "es"),
    ):
        tab.open(f"{url}/?lang={language}", width, height, scheme)
        tab.picture(folder / f"{name}.png")


def main():
    check = Checks()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wolkvox_exporter-")))
        simulator_log = folder / "simulator.log"
        anywhere = "--web.listen-address=127.0.0.1:0"
        simulator = stack.enter_context(running(simulator_log, EXPORTER, "simulator", anywhere))
        api = until_true(10, lambda: first_url(simulator, simulator_log))
        token = until_true(10, lambda: re.search(r"operation medellin .*token (\w+)", simulator_log.read_text())[1])
        (folder / "medellin.token").write_text(token)
        (folder / "wrong.token").write_text("0" * len(token))
        (folder / "wolkvox.yml").write_text(CONFIG.format(url=api))
        log = folder / "exporter.log"
        command = (EXPORTER, f"--config.file={folder / 'wolkvox.yml'}", anywhere)
        exporter = stack.enter_context(running(log, *command))
        url = until_true(10, lambda: first_url(exporter, log))
        tab = stack.enter_context(chromium(CHROMIUM, folder))
        until_true(30, lambda: get(f"{url}/-/ready"))

        for width, scheme, language in WINDOWS:
            check(f"{width} pixels wide, {scheme}, {language}", check_page, tab, url, width, scheme, language)
        check("links, and an operation's own page", check_links, tab, url)
        check("it loads itself again", check_reload, tab, url)
        check("its policy is in force", check_policy, tab, url)
        for pictures in PICTURES:
            take_pictures(tab, url, pathlib.Path(pictures))

    return check.verdict()


if __name__ == "__main__":
    # A time-out ends this with SIGTERM: the blocks above still stop what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    sys.exit(main())
