#!/usr/bin/env bash
# Writes requirements/run.txt and requirements/dev.txt anew: exact versions with the hashes of all their files, valid
# for every supported Python and platform. Needs uv (https://docs.astral.sh/uv/). Extra arguments go to
# uv, for example: requirements/update.sh --upgrade
set -euo pipefail
cd "$(dirname "$0")/.."

compile=(uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet
    --custom-compile-command "requirements/update.sh")
"${compile[@]}" "$@" pyproject.toml requirements/build.in --output-file requirements/run.txt
"${compile[@]}" "$@" pyproject.toml requirements/build.in --extra dev --constraint requirements/run.txt \
    --output-file requirements/dev.txt
