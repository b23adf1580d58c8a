#!/usr/bin/env bash
# Uploads the tab templates and the function map of infra/dfmon to the monitor's own storage account.
set -euo pipefail
cd "$(dirname "$0")/../.."
account=${1:?storage account of the monitor}

[ -d infra/dfmon ] || { echo "No infra/dfmon: nothing to upload."; exit 0; }
az storage blob upload-batch --account-name "$account" --auth-mode login --destination durable-functions-monitor \
  --source infra/dfmon --pattern "*.liquid" --destination-path tab-templates --overwrite --output none
az storage blob upload-batch --account-name "$account" --auth-mode login --destination durable-functions-monitor \
  --source infra/dfmon --pattern "dfm-func-map.json" --destination-path function-maps --overwrite --output none
echo "Tab templates uploaded to $account."
