#!/usr/bin/env bash
# Publishes runbooks/, with the contacts and maintenance windows there, to the container the app reads:
# publish-runbooks.sh [STORAGE_ACCOUNT [OPTION of runbook publish]...], such as --dry-run or --strict.
# CONTACTS_FILE names contacts that are kept elsewhere; without any, those that are in force stay.
# Checked and tested first, and put in force as a whole: a broken set never reaches the app. Incidents that are open keep the version they started with.
set -euo pipefail
contacts=${CONTACTS_FILE:+$(realpath "$CONTACTS_FILE")}
cd "$(dirname "$0")/../.."
account=${1:-${STORAGE_ACCOUNT_NAME:?storage account}}

dotnet run --project src/RunbookServer -- publish runbooks --to "https://$account.blob.core.windows.net/runbooks" ${contacts:+--contacts "$contacts"} "${@:2}"
