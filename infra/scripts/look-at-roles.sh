#!/usr/bin/env bash
# Prints the roles in Azure that a parameter file no longer asks for: look-at-roles.sh PARAMETERS, a file of infra/bicep.
# They are those of the system's identities, anywhere, and anybody's below its resource group, such as a secret operator's.
# It changes nothing. Run it with the changed file before or after a deployment, signed in to its subscription. Needs jq.
set -euo pipefail
parameters=$(basename "${1:?parameter file of infra/bicep}")
cd "$(dirname "$0")/../.."
# The Azure CLI keeps the compiler here, and has no command of its own for this.
bicep=$(command -v bicep || echo "${AZURE_CONFIG_DIR:-$HOME/.azure}/bin/bicep")

# The compiler writes what would be deployed beside the file that it reads.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r host.json infra "$work"
"$bicep" snapshot "$work/infra/bicep/$parameters" --mode overwrite --subscription-id "$(az account show --query id --output tsv)" > /dev/null

# planned TYPE FIELD: of all resources of the type, a line each.
planned() { jq -r --arg type "$1" --arg field "$2" '.predictedResources[] | select(.type == $type) | .[$field]' "$work/infra/bicep/${parameters%.bicepparam}.snapshot.json"; }

planned Microsoft.Authorization/roleAssignments name > "$work/asked"
az identity list --resource-group "$(planned Microsoft.Resources/resourceGroups name)" --query "[].principalId" --output tsv > "$work/ours"
az account list --query "[].id" --output tsv > "$work/subscriptions"
while read -r subscription; do
  az role assignment list --all --subscription "$subscription" --output json < /dev/null
done < "$work/subscriptions" > "$work/roles"

jq -rs --arg group "$(planned Microsoft.Resources/resourceGroups id)/" --rawfile ours "$work/ours" --rawfile asked "$work/asked" '
  add // [] | unique_by(.id)[]
  | select((.principalId | IN($ours | splits("\n"))) or (.scope | ascii_downcase | startswith($group | ascii_downcase)))
  | select(.name | IN($asked | splits("\n")) | not)
  | [.roleDefinitionName // .roleDefinitionId, .scope, .principalName, .id] | join("  ")' "$work/roles"
