#!/usr/bin/env bash
# setuptools 80.9.0, editable installs: another checkout of the same package, put in front with PYTHONPATH, is imported
# together with modules of the installed one.
#
# Guess: the first package of a name on sys.path is the package. A module that this checkout does not have yet cannot
# be imported.
# Seen: `import tool.new` works: the module comes from the editable install, whose finder answers for what is directly
# below the name. So an old commit runs with new code, without a word. With a plain install it is a ModuleNotFoundError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet setuptools==80.9.0
mkdir -p "$folder/now/tool" "$folder/old/tool"
printf '[project]\nname = "tool"\nversion = "1"\n[build-system]\nrequires = ["setuptools"]\n[tool.setuptools]\npackages = ["tool"]\n' \
    > "$folder/now/pyproject.toml"
echo "where = 'now'" > "$folder/now/tool/__init__.py"
echo "where = 'now'" > "$folder/now/tool/new.py"
echo "where = 'old'" > "$folder/old/tool/__init__.py"
show() {
    "$folder/env/bin/pip" install --quiet --no-build-isolation --force-reinstall "${@:2}" "$folder/now"
    echo -n "$1: "
    (cd "$folder/old" && PYTHONPATH=$folder/old "$folder/env/bin/python" -c '
import tool
print("tool is", tool.where, end=", ")
try:
    import tool.new
    print("tool.new is", tool.new.where)
except ModuleNotFoundError as error:
    print(error)')
}
{ show "plain install"; show "flat editable install" --editable; } | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
plain install: tool is old, No module named 'tool.new'
flat editable install: tool is old, tool.new is now
SEEN
