#!/bin/sh
# All tests in three runs, each of which prints its results: the unit tests, which compute, in one process a core; those
# that start real processes, which also wait, in two a core, since more only makes each of them slower; then, one by one,
# those that judge time. Fails if one of the runs does.
set -u
cd "$(dirname "$0")/.."
pytest=${BIN:-.venv/bin}/pytest
waiting=$(($(getconf _NPROCESSORS_ONLN) * 2))
[ "$waiting" -le 16 ] || waiting=16
status=0

"$pytest" tests/unit --numprocesses auto --dist worksteal || status=$?
"$pytest" tests/acceptance tests/integration -m "not alone" --numprocesses "$waiting" --dist loadgroup \
    --no-loadscope-reorder || status=$?
"$pytest" tests/acceptance tests/integration -m alone || status=$?
exit "$status"
