#!/usr/bin/env bash
# Publishes runbooks/, with windows.yaml where there is one, to the container the app reads: publish-runbooks.sh [STORAGE_ACCOUNT]
# With CONTACTS_FILE, or a runbooks/contacts.yaml, also who is behind the names in them; otherwise contacts stay as they are.
# Validated first: a broken runbook never reaches the app. Incidents that are open keep the version they started with.
set -euo pipefail
contacts=${CONTACTS_FILE:+$(realpath "$CONTACTS_FILE")}
cd "$(dirname "$0")/../.."
account=${1:-${STORAGE_ACCOUNT_NAME:?storage account}}

dotnet run --project src/RunbookServer -- validate
dotnet run --project src/RunbookServer -- test

staged=$(mktemp -d)
trap 'rm -rf "$staged"' EXIT
cp runbooks/*.yaml "$staged"
rm -f "$staged"/*.test.yaml
# The text files that runbooks name.
[ ! -d runbooks/samples ] || { mkdir "$staged/samples" && cp runbooks/samples/*.txt "$staged/samples"; }
[ -z "$contacts" ] || cp "$contacts" "$staged/contacts.yaml"

left=()
if [ ! -e "$staged/contacts.yaml" ]; then
  left=(--exclude-pattern contacts.yaml)
  echo "No contacts given: those that are published stay. With none, messages reach nobody (docs/contacts.md)." >&2
fi

# sync, not upload: a runbook that was removed here is removed there (and can be restored: soft delete is on).
az storage blob sync --account-name "$account" --auth-mode login --container runbooks --source "$staged" "${left[@]}" --output none
echo "Runbooks published to $account."
