#!/usr/bin/env bash
# Fuzzes every Fuzz function of the tree for an equal share of the time given (default 10m).
set -euo pipefail
cd "$(dirname "$0")/.."
total=${1:-10m}
seconds() {
  case $1 in *h) echo $((${1%h} * 3600)) ;; *m) echo $((${1%m} * 60)) ;; *) echo "${1%s}" ;; esac
}
mapfile -t targets < <(grep -rhoE --include='*_test.go' -H '^func Fuzz[A-Za-z0-9_]+' . | sed 's|^\./||; s|/[^/]*_test.go:func |:|')
[ ${#targets[@]} -gt 0 ] || { echo "fuzz: no Fuzz functions found" >&2; exit 1; }
share=$(($(seconds "$total") / ${#targets[@]}))
[ "$share" -ge 1 ] || share=1
for t in "${targets[@]}"; do
  echo "== ${t%%:*} ${t##*:} for ${share}s"
  go test -run '^$' -fuzz "^${t##*:}\$" -fuzztime "${share}s" "./${t%%:*}"
done
