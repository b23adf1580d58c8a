#!/usr/bin/env bash
# Lets the app take what its vault holds now: refresh-secrets.sh RESOURCE_GROUP APP
# App Service keeps what a reference said for up to a day, and a restart alone does not ask the vault again.
set -euo pipefail
group=${1:?resource group}
app=${2:?app}

id=$(az functionapp show --resource-group "$group" --name "$app" --query id --output tsv)
az rest --method POST --url "$id/config/configreferences/appsettings/refresh?api-version=2022-03-01" --output none
# What runs has read its settings already.
az functionapp restart --resource-group "$group" --name "$app" --output none
echo "$app takes its secrets anew."
