#!/usr/bin/env bash
# What make accuracy needs of PyPI, into a folder of its own; prints the python to use. What cannot be had is skipped by name.
# usage: install.sh FOLDER [PYTHON]
set -euo pipefail
folder=$1 python=${2:-python3}
if ! { [ -x "$folder/bin/python3" ] || "$python" -m venv "$folder"; } > /dev/null 2>&1; then
  rm -rf "$folder"
  echo "no virtual environment can be made with $python" >&2
  echo "$python"
  exit
fi
for package in duckdb==2.0.0 numpy==2.4.6 py65==1.2.0 lupa==2.8; do
  "$folder/bin/python3" -m pip install --quiet --disable-pip-version-check "$package" >&2 || echo "cannot be had: $package" >&2
done
echo "$folder/bin/python3"
