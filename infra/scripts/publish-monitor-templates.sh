#!/usr/bin/env bash
# Uploads the tab templates and the function map of infra/dfmon to the monitor's own storage account.
set -euo pipefail
cd "$(dirname "$0")/../.."
account=${1:?storage account of the monitor}

for folder in tab-templates function-maps; do
  az storage blob upload-batch --account-name "$account" --auth-mode login --destination durable-functions-monitor \
    --source "infra/dfmon/$folder" --destination-path "$folder" --overwrite --output none
done
echo "Tab templates uploaded to $account."
