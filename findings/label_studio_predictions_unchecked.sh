#!/usr/bin/env bash
# Label Studio 1.23.2 checks imported predictions against the project's labelling configuration, finds what is
# wrong with them, and takes them all the same. The editor then shows the regions without a label, or nothing.
#
# Guess: the import of a prediction with a label that the configuration lacks is refused, or answered with the
#        errors that were found.
# Seen: 201 and "prediction_count": 1 for an unknown label, for an unknown control and for both names unknown.
#       The answer does not tell them from a prediction that fits; only the server's log names the errors.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet label-studio==1.23.2 label-studio-sdk==2.1.2
cat > "$folder/show.py" <<'PY'
import json
import sys
import time

import requests

address, log = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = "Token 0123456789abcdef0123456789abcdef01234567"
for _ in range(600):
    try:
        print("Label Studio", session.get(f"{address}/api/version", timeout=60).json()["release"])
        break
    except requests.ConnectionError:
        time.sleep(1)
config = (
    '<View><Labels name="tag" toName="text"><Label value="NOUN"/><Label value="VERB"/></Labels>'
    '<Text name="text" value="$text"/></View>'
)
for what, changed in (
    ("fits", {}),
    ("unknown label", {"value": {"start": 2, "end": 6, "text": "duck", "labels": ["ADJ"]}}),
    ("unknown control", {"from_name": "label"}),
    ("unknown names", {"from_name": "label", "to_name": "words"}),
):
    value = {"start": 2, "end": 6, "text": "duck", "labels": ["NOUN"]}
    region = {"from_name": "tag", "to_name": "text", "type": "labels", "value": value, **changed}
    task = {"data": {"text": "A duck"}, "predictions": [{"result": [region]}]}
    settings = {"title": what, "label_config": config}
    project = session.post(f"{address}/api/projects", json=settings).json()["id"]
    before = open(log).read().count("Prediction validation failed, not raising error")
    file = {"file": ("tasks.json", json.dumps([task]))}
    answer = session.post(f"{address}/api/projects/{project}/import", files=file)
    logged = open(log).read().count("Prediction validation failed, not raising error") - before
    count = answer.json()["prediction_count"]
    print(f"{what}: {answer.status_code}, predictions: {count}, errors in the log: {logged}")
PY
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
LATEST_VERSION_CHECK=False COLLECT_ANALYTICS=False SENTRY_DSN='' "$folder/env/bin/label-studio" start \
    --no-browser --data-dir "$folder/data" --internal-host 127.0.0.1 --port "$port" \
    --username tester@example.com --password only-for-this --enable-legacy-api-token \
    --user-token 0123456789abcdef0123456789abcdef01234567 > "$folder/log" 2>&1 &
server=$!
"$folder/env/bin/python" -W ignore "$folder/show.py" "http://127.0.0.1:$port" "$folder/log" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
Label Studio 1.23.2
fits: 201, predictions: 1, errors in the log: 0
unknown label: 201, predictions: 1, errors in the log: 1
unknown control: 201, predictions: 1, errors in the log: 1
unknown names: 201, predictions: 1, errors in the log: 1
SEEN
