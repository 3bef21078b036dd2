#!/usr/bin/env bash
# Label Studio 1.23.2: the value of a <Label> is read as a variable of the task if it begins with "$" and goes
# on with letters, digits or any of . _ [ ] { }. So the button of the tag "$." (the full stop of STTS, the German
# tag set) says "blank", for any task. "$", "$," and "PRP$" are shown. Needs Chromium, or installs it.
#
# Guess: a label's button shows its value, or the configuration is refused.
# Seen: the configuration is accepted, the value "$." is kept in predictions and results, the button says
#       "blank". With the attribute `html` beside the value, it shows that.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet label-studio==1.23.2 label-studio-sdk==2.1.2 playwright
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[ -n "$chromium" ] || "$folder/env/bin/playwright" install chromium
cat > "$folder/show.py" <<'PY'
import sys
import time

import requests
from playwright.sync_api import sync_playwright

address, chromium = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = "Token 0123456789abcdef0123456789abcdef01234567"
for _ in range(600):
    try:
        print("Label Studio", session.get(f"{address}/api/version", timeout=60).json()["release"])
        break
    except requests.ConnectionError:
        time.sleep(1)
config = (
    '<View><Labels name="tag" toName="text"><Label value="$"/><Label value="$,"/>'
    '<Label value="PRP$"/><Label value="$."/>{}</Labels><Text name="text" value="$text"/></View>'
)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium or None, args=["--no-sandbox"])
    page = browser.new_page()
    page.goto(f"{address}/user/login/")
    page.fill("input[name=email]", "tester@example.com")
    page.fill("input[name=password]", "only-for-this")
    page.press("input[name=password]", "Enter")
    page.wait_for_load_state("networkidle")
    for what, label in (("value alone", ""), ("with html", '<Label value="$.x" html="$.x"/>')):
        settings = {"title": what, "label_config": config.format(label)}
        project = session.post(f"{address}/api/projects", json=settings).json()["id"]
        tasks = [{"data": {"text": "A duck ."}}]
        session.post(f"{address}/api/projects/{project}/import", json=tasks)
        found = session.get(f"{address}/api/tasks", params={"project": project}).json()["tasks"]
        page.goto(f"{address}/projects/{project}/data?task={found[0]['id']}")
        page.wait_for_selector("[class*=label__text]", timeout=120_000)
        page.wait_for_timeout(3000)
        print(f"{what}:", *page.locator("[class*=label__text]").all_text_contents())
    browser.close()
PY
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
LATEST_VERSION_CHECK=False COLLECT_ANALYTICS=False SENTRY_DSN='' "$folder/env/bin/label-studio" start \
    --no-browser --data-dir "$folder/data" --internal-host 127.0.0.1 --port "$port" \
    --username tester@example.com --password only-for-this --enable-legacy-api-token \
    --user-token 0123456789abcdef0123456789abcdef01234567 > "$folder/log" 2>&1 &
server=$!
"$folder/env/bin/python" -W ignore "$folder/show.py" "http://127.0.0.1:$port" "$chromium" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
Label Studio 1.23.2
value alone: $ $, PRP$ blank
with html: $ $, PRP$ blank $.x
SEEN
