#!/usr/bin/env bash
# Keeps what is on record of incidents that have ended: export-incidents.sh URL FOLDER, with a key that may look in RUNBOOKS_KEY.
# Safe to run again at any time: what was added to an incident since is taken over, and what the app no longer has stays.
set -euo pipefail
url=${1:?address of the app}
folder=${2:?folder}
: "${RUNBOOKS_KEY:?a key of the API}"
mkdir -p "$folder"

# The key is on no command line, where others at this machine could read it.
get() { curl -fsS -K <(printf 'header = "%s: %s"\n' x-functions-key "$RUNBOOKS_KEY" X-Api-Key "$RUNBOOKS_KEY") "$url$1"; }

# keep PATH FILE: a file is whole, or as it was.
keep() {
  get "$1" > "$folder/part"
  mv "$folder/part" "$folder/$2"
}

query="?state=final&limit=100"
while [ -n "$query" ]; do
  page=$(get "/api/incidents$query")
  for id in $(jq -r '.incidents[].id' <<<"$page"); do
    keep "/api/incidents/$id" "$id.json"
    keep "/api/incidents/$id/audit" "$id.jsonl"
  done
  query=$(jq -r 'if .next then "?state=final&limit=100&after=\(.next | @uri)" else "" end' <<<"$page")
done
