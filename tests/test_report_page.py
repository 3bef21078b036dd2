"""The report in a real browser, on a wide screen and on a phone, light and dark.

The browser is driven by its debugging protocol over two pipes:
https://chromedevtools.github.io/devtools-protocol/
With SPACY_LSTM_TAGGER_SCREENSHOTS set to a directory, pictures of the pages are left there.
"""

import base64
import dataclasses
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from spacy.tokens import Doc

from spacy_lstm_tagger.report.answers import Answers, Gold, WordCounts
from spacy_lstm_tagger.report.build import Report
from spacy_lstm_tagger.report.comparison import compare
from spacy_lstm_tagger.report.direction import direction_of, language_of
from spacy_lstm_tagger.report.figures import measure

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# Runs a program that reads from the first pipe as its file 3, and writes to the second as its 4.
WITH_PIPES = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(pipe), fcntl.F_DUPFD, 10) for pipe in sys.argv[1:3]]
for number, pipe in enumerate(pipes, start=3):
    os.dup2(pipe, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_browser() -> str | None:
    """Path of a browser of the Chromium family."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page of one browser. Use it as a context.

    requests: addresses that the page has asked for.
    errors: what the page's scripts and its security policy complained of.
    """

    def __init__(self, program: str, profile: Path, *, patience: float = 60.0) -> None:
        to_child, self.output = os.pipe()
        self.input, from_child = os.pipe()
        options = [
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe"),
            f"--user-data-dir={profile}",
            "about:blank",
        ]
        pipes = [str(to_child), str(from_child)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", WITH_PIPES, *pipes, program, *options],
            pass_fds=(to_child, from_child),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_child)
        os.close(from_child)
        self.patience = patience
        self.numbers = itertools.count(1)
        self.rest = b""
        self.session: str | None = None
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.seen: set[str] = set()

    def __enter__(self) -> "Browser":
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self.session = attached["sessionId"]
            for domain in ("Page", "Network", "Runtime", "Log"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=self.patience)
        os.close(self.input)
        os.close(self.output)

    def call(self, method: str, **parameters: Any) -> dict:
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def receive(self) -> dict:
        deadline = time.monotonic() + self.patience
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.input], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.input, 1 << 20) if ready else b""
            if not data:
                raise TimeoutError("the browser does not answer")
            self.rest += data
        line, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(line)
        self.note(message.get("method", ""), message.get("params", {}))
        return message

    def note(self, method: str, about: dict) -> None:
        self.seen.add(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(about["exceptionDetails"]))
        elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.errors.append(about["entry"]["text"])

    def open(self, page: Path, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Open a file as on a screen of so many points."""
        phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.seen.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        while "Page.loadEventFired" not in self.seen:
            self.receive()

    def evaluate(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Keep what can be seen."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with Browser(program, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def made_up_report(n_taggers: int) -> Report:
    """Many sentences, some very long words, 60 tags, and a word that is a script."""
    generator = numpy.random.default_rng(0)
    lengths = generator.integers(1, 70, 60)
    n = int(lengths.sum())
    words = [f"word{i % 90}" for i in range(n)]
    words[0], words[3] = "<script>window.harmed = true</script>", "very" * 60
    tags = [f"T{tag}" for tag in generator.geometric(0.06, n).clip(max=60).tolist()]
    tags[:3] = ["PRP$", "<img src=x onerror='window.harmed = true'>", "a-tag-with-a-long-name" * 2]
    gold = Gold(words, [True] * n, tags, lengths)
    seen = {f"word{i}": 3**i for i in range(9)}
    counts = WordCounts(lambda word: seen.get(word, 0), 1, "as counted here")
    answers = []
    for nth in range(n_taggers):
        said = [tag if generator.random() < 0.85 else "T1" for tag in tags]
        said[2] = "T7"
        answers.append(Answers(f"a/long/path/of/model-{nth}" * 3, list(said), generator.random(n)))
    comparison = compare(gold, *answers) if n_taggers == 2 else None
    taggers = [measure(gold, each, counts) for each in answers]
    return Report("dev.spacy", taggers, comparison)


@pytest.fixture(scope="module", params=[1, 2], ids=["one tagger", "two taggers"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    from spacy_lstm_tagger.report.page import render_page

    path = tmp_path_factory.mktemp("page") / f"report-{request.param}.html"
    path.write_text(render_page(made_up_report(request.param)), encoding="utf8")
    return path


# Contrast of the text of a picture with what is behind it, as in
# https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
CONTRAST = """
(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll("svg text")].map((text) => {
    const behind = light(getComputedStyle(text.closest("section")).backgroundColor);
    const front = light(getComputedStyle(text).fill);
    return (Math.max(behind, front) + 0.05) / (Math.min(behind, front) + 0.05);
  });
})()
"""

COLUMN = """
[...document.querySelectorAll("#tags tbody tr")].map((row) => row.cells[%d].textContent.trim())
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_fits_and_can_be_read(width, dark, page, browser) -> None:
    browser.requests.clear()
    browser.errors.clear()
    browser.open(page, width=width, dark=dark)
    if directory := os.environ.get("SPACY_LSTM_TAGGER_SCREENSHOTS"):
        scheme = "dark" if dark else "light"
        browser.screenshot(Path(directory) / f"{page.stem}-{width}-{scheme}.png")
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    contrasts = browser.evaluate(CONTRAST)
    assert len(contrasts) > 50
    assert min(contrasts) >= 4.5
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.errors == []
    assert browser.evaluate("typeof window.harmed") == "undefined"


# How far each table is wider than what shows it.
HIDDEN = """
Object.fromEntries([...document.querySelectorAll("div.scroll")].map(
  (e) => [e.getAttribute("aria-label"), e.scrollWidth - e.clientWidth]))
"""


@pytest.mark.parametrize("width", [360, 390, 430])
def test_last_columns_are_visible_on_a_phone(width, page, browser) -> None:
    browser.open(page, width=width)
    hidden = browser.evaluate(HIDDEN)
    assert len(hidden) >= 6
    assert {name: pixels for name, pixels in hidden.items() if pixels > 0} == {}


PLACES = """
[...document.querySelector("%s").querySelectorAll("%s")].map((e) => e.getBoundingClientRect().x)
"""


@pytest.mark.parametrize(
    ("language", "words", "from_right"),
    [
        ("he", ["הילד", "קרא", "(", "2024"], True),
        ("ar", ["كتب", "الولد", "!"], True),
        ("en", ["The", "boy", "read"], False),
        ("xx", ["2024", "הילד", "קרא"], True),  # by its first letter
        ("xx", ["2024", "boy", "read"], False),
    ],
)
def test_words_are_laid_out_in_the_direction_of_the_language(
    language, words, from_right, browser, tmp_path
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    from spacy_lstm_tagger.report.page import render_page
    from spacy_lstm_tagger.report.rendering import render

    vocab = spacy.blank(language).vocab
    tags = ["PRP$"] * len(words)
    gold = Gold(words, [True] * len(words), tags, numpy.asarray([len(words)]))
    answers = [Answers(name, [tag] * len(words), None) for name, tag in (("a", "X"), ("b", "Y"))]
    report = Report(
        "dev.spacy",
        [measure(gold, each) for each in answers],
        compare(gold, *answers),
        language=language_of(vocab),
        direction=direction_of(vocab),
    )
    doc = Doc(vocab, words=words, tags=tags)
    pages = {"report": render_page(report), "doc": str(render(doc, page=True))}
    for name, html in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text(html, encoding="utf8")
        browser.open(path, width=1280)
        places = browser.evaluate(PLACES % (".lt-words", ".lt-word"))
        assert places == sorted(places, reverse=from_right)
        assert len(set(places)) == len(words)
    browser.open(tmp_path / "report.html", width=1280)
    style = "getComputedStyle(document.querySelector('#changed .context')).direction"
    if language != "xx":
        assert browser.evaluate(style) == ("rtl" if from_right else "ltr")


def test_warnings_come_before_the_figures(browser, tmp_path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    from spacy_lstm_tagger.report.page import render_page

    report = dataclasses.replace(made_up_report(1), warnings=["Use `<b>` & think.", "w" * 300])
    path = tmp_path / "report.html"
    path.write_text(render_page(report), encoding="utf8")
    browser.open(path, width=390)
    texts = "[...document.querySelectorAll('#warnings li')].map((e) => e.textContent)"
    assert browser.evaluate(texts) == ["Use <b> & think.", "w" * 300]
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    tops = "['#warnings', '.cards'].map((e) => document.querySelector(e).getBoundingClientRect().y)"
    assert browser.evaluate(tops) == sorted(browser.evaluate(tops))


def test_tables_are_sorted_by_a_click(page, browser) -> None:
    browser.open(page, width=1280)
    support = [int(n.replace(",", "")) for n in browser.evaluate(COLUMN % 2)]
    click = "document.querySelectorAll('#tags thead button')[%d].click()"
    state = "document.querySelectorAll('#tags thead th')[%d].getAttribute('aria-sort')"
    for expected in ("descending", "ascending"):
        browser.evaluate(click % 2)
        found = [int(n.replace(",", "")) for n in browser.evaluate(COLUMN % 2)]
        assert found == sorted(support, reverse=expected == "descending")
        assert browser.evaluate(state % 2) == expected
    browser.evaluate(click % 0)
    tags = browser.evaluate(COLUMN % 0)
    assert tags.index("T1") < tags.index("T2") < tags.index("T3")
    assert browser.evaluate(state % 0) == "ascending"
    assert browser.evaluate(state % 2) is None


def test_page_can_be_used_without_seeing_it(page, browser) -> None:
    browser.open(page, width=1280)
    unnamed = "[...document.querySelectorAll('svg')].filter((e) => e.getAttribute('role') !== 'img'"
    assert browser.evaluate(f"{unnamed} || !e.getAttribute('aria-label')).length") == 0
    assert browser.evaluate("document.querySelectorAll('th:not([scope])').length") == 0
    assert browser.evaluate("document.querySelectorAll('table:not(:has(caption))').length") == 0
    assert browser.evaluate("document.documentElement.lang") == "en"
