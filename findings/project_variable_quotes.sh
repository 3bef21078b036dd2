#!/usr/bin/env bash
# weasel 1.0.1 (spaCy projects): a variable of project.yml whose text has a double quote in it breaks the section that
# uses it: `commands` becomes one long string, and every command fails with a TypeError that names no variable.
#
# Guess: ${vars.text} stands for its text, whatever that is; a list of labels can be passed on as '["a","b"]'.
# Seen: TypeError: string indices must be integers, not 'str'. As a list, ["a", "b"], the same value works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet weasel==1.0.1 confection==1.3.4
show() {
    mkdir -p "$folder/$1"
    printf 'vars:\n  labels: %s\ncommands:\n  - name: show\n    script:\n      - "echo ${vars.labels}"\n' "$2" \
        > "$folder/$1/project.yml"
    "$folder/env/bin/python" -m weasel run show "$folder/$1" > "$folder/output" 2>&1 || true
    echo "$2 gives: $(tail -n 1 "$folder/output")"
}
{ show list '["a", "b"]'; show text "'[\"a\",\"b\"]'"; show plain "'[a,b]'"; } | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
["a", "b"] gives: [a, b]
'["a","b"]' gives: TypeError: string indices must be integers, not 'str'
'[a,b]' gives: [a,b]
SEEN
