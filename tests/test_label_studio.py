"""A real Label Studio server takes what `uncertain` writes: tasks, predictions, configuration.

Runs if the program `label-studio` is installed, on the path or where LABEL_STUDIO says:

    python -m venv label-studio && label-studio/bin/pip install label-studio==1.23.*
    LABEL_STUDIO=label-studio/bin/label-studio pytest tests/test_label_studio.py
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli

TOKEN = "0123456789abcdef0123456789abcdef01234567"
TAGS = ["NN", "PRP$", '"', "''", "``", "<", "&", "$", "$.", "-LRB-"]
TEXTS = [
    "The 😀 ducks \" said <b>hi</b> &amp; bye '' $ .",
    "un été\nà la mer שלום",
]


class Server:
    """A running Label Studio, by its address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {TOKEN}"

    def ask(self, method: str, path: str, **arguments: Any) -> Any:
        """Return the answer to a request, which must succeed."""
        answer = self.session.request(method, self.address + path, timeout=60, **arguments)
        assert answer.ok, answer.text
        return answer.json()

    def close(self) -> None:
        self.session.close()


@pytest.fixture(scope="module")
def program() -> Path:
    found = os.environ.get("LABEL_STUDIO") or shutil.which("label-studio")
    if not found:
        pytest.skip("Label Studio is not installed: set LABEL_STUDIO to its program label-studio")
    return Path(found)


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Variables for Label Studio: it must not find this project's packages, nor report home."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    quiet = {"LATEST_VERSION_CHECK": "False", "COLLECT_ANALYTICS": "False", "SENTRY_DSN": ""}
    return {**inherited, **quiet}


@pytest.fixture(scope="module")
def server(program, environment, tmp_path_factory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("label-studio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(program), "start", "--no-browser", "--data-dir", str(directory)]
    command += ["--internal-host", "127.0.0.1", "--port", str(port)]
    command += ["--username", "tester@example.com", "--password", "only-for-this-test"]
    command += ["--user-token", TOKEN, "--enable-legacy-api-token"]
    log = directory / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    found = Server(f"http://127.0.0.1:{port}")
    try:
        _wait_for(found, process, log)
        yield found
    finally:
        found.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(server: Server, process: subprocess.Popen, log: Path) -> None:
    """Wait until the server answers: it makes its database first, which may take minutes."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{server.address}/health", timeout=10).ok:
                return
        time.sleep(1)
    raise AssertionError(f"no answer after 10 minutes: {log.read_text()[-2000:]}")


@pytest.fixture
def written(make_nlp, randomize, tmp_path) -> tuple[Path, Path]:
    """The tasks and the configuration that the command writes."""
    words = [f"word{i}" for i in range(len(TAGS))]
    nlp = make_nlp([(" ".join(words), {"tags": TAGS})])
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.meta.update(name="ducks", version="1.2.3")
    nlp.to_disk(tmp_path / "model")
    raw, tasks, config = (tmp_path / name for name in ("raw.jsonl", "tasks.json", "labels.xml"))
    raw.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    command = ["uncertain", tmp_path / "model", raw, "--below", "1", "--no-split"]
    command += ["--format", "label-studio", "--output", tasks, "--labelling-config", config]
    done = CliRunner().invoke(lstm_tagger_cli, [*map(str, command)])
    assert done.exit_code == 0, done.output
    return tasks, config


@pytest.mark.slow
def test_import_keeps_each_prediction_and_its_label_is_of_the_configuration(
    server, written
) -> None:
    tasks, config = written
    settings = {"title": "Uncertain tokens", "label_config": config.read_text()}
    project = server.ask("POST", "/api/projects", json=settings)
    control = project["parsed_label_config"]["tag"]
    assert (control["type"], sorted(control["labels"])) == ("Labels", sorted(TAGS))
    assert control["inputs"] == [{"type": "Text", "value": "text", "valueType": None}]
    with tasks.open("rb") as file:
        path = f"/api/projects/{project['id']}/import"
        imported = server.ask("POST", path, files={"file": (tasks.name, file)})
    assert (imported["task_count"], imported["prediction_count"]) == (2, 2)

    path = f"/api/projects/{project['id']}/export?exportType=JSON&download_all_tasks=true"
    exported = server.ask("GET", path)
    assert [task["data"] for task in exported] == [{"text": text} for text in TEXTS]
    stored = server.ask("GET", f"/api/predictions?project={project['id']}")
    assert {prediction["model_version"] for prediction in stored} == {"en_ducks-1.2.3"}
    of_task = {prediction["task"]: prediction["result"] for prediction in stored}
    ours = json.loads(tasks.read_text())
    for task, our in zip(exported, ours, strict=True):
        regions = of_task[task["id"]]
        assert regions == our["predictions"][0]["result"]
        assert all(set(region["value"]["labels"]) <= set(TAGS) for region in regions)
        spans = [(region["value"]["start"], region["value"]["end"]) for region in regions]
        texts = [task["data"]["text"][start:end] for start, end in spans]
        assert texts == [region["value"]["text"] for region in regions]
        assert not any(text.isspace() for text in texts)


def test_predictions_fit_by_label_studios_own_check(
    program, environment, written, tmp_path
) -> None:
    """The server logs predictions that do not fit, and takes them all the same."""
    tasks, config = written
    check = (
        "import json, sys\n"
        "from label_studio_sdk.label_interface import LabelInterface\n"
        "check = LabelInterface(open(sys.argv[1]).read()).validate_prediction\n"
        "found = [check(p, return_errors=True) for task in json.load(open(sys.argv[2]))\n"
        "         for p in task['predictions']]\n"
        "print(json.dumps(found))\n"
    )
    python = program.with_name("python")
    for xml, n_errors in ((config, 0), (tmp_path / "wrong.xml", 2)):
        if n_errors:
            xml.write_text(config.read_text().replace('value="', 'value="other '))
        done = subprocess.run(
            [python, "-c", check, xml, tasks], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        assert sum(map(bool, json.loads(done.stdout))) == n_errors
