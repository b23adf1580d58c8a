#!/usr/bin/env bash
# Publishes runbooks/ to the container the app reads: publish-runbooks.sh [STORAGE_ACCOUNT]
# Validated first: a broken file never reaches the app. Incidents that are open keep the version they started with.
set -euo pipefail
cd "$(dirname "$0")/../.."
account=${1:-${STORAGE_ACCOUNT_NAME:?storage account}}

dotnet run --project src/RunbookLocal -- validate
dotnet run --project src/RunbookLocal -- test

# sync, not upload: a runbook that was removed here is removed there (and can be restored: soft delete is on).
az storage blob sync --account-name "$account" --auth-mode login --container runbooks --source runbooks \
  --exclude-pattern "*.test.yaml" --output none
echo "Runbooks published to $account."
