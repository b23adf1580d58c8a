#!/usr/bin/env bash
# What Bicep cannot make: Entra applications. Every step looks first and changes only what is missing; run it as often
# as you like. Needs the Azure CLI, signed in as somebody who may make applications and grant app roles
# (Application Administrator with Privileged Role Administrator, or Cloud Application Administrator where that suffices).
#
#   setup.sh webhook ENVIRONMENT                 the application behind Azure Monitor's secure webhook
#   setup.sh sign-in ENVIRONMENT                 the application people sign in with at the pages, and its roles
#   setup.sh monitor ENVIRONMENT                 the same for Durable Functions Monitor
#   setup.sh trust CLIENT_ID GROUP IDENTITY URL… lets the app's identity vouch for a sign-in application (no secret),
#                                                and registers where people come back to
#
# The first three print clientId= and objectId=, which go into the parameters of main.bicep.
set -euo pipefail

graph=https://graph.microsoft.com/v1.0
# Azure Monitor's own application ("AzNS AAD Webhook"), the same in every tenant: the caller of every secure webhook.
caller=461e8683-5575-4561-ac7f-899cc907d62a
role_name=ActionGroupsSecureWebhook
# Ours to choose; fixed, so that a second run finds the role it made.
role_id=6b1c3a52-0f0e-4d56-9f5b-5b2d8f3b7c11

say() { echo "$*" >&2; }

# application NAME: object id of the application with that name, made if need be.
application() {
  local id
  id=$(az ad app list --filter "displayName eq '$1'" --query "[0].id" --output tsv)
  if [ -z "$id" ]; then
    id=$(az ad app create --display-name "$1" --sign-in-audience AzureADMyOrg --query id --output tsv)
    say "Made the application $1."
  fi
  echo "$id"
}

# principal APP_ID: object id of its service principal in this tenant, made if need be.
principal() {
  local id
  id=$(az ad sp list --filter "appId eq '$1'" --query "[0].id" --output tsv)
  if [ -z "$id" ]; then
    id=$(az ad sp create --id "$1" --query id --output tsv)
    say "Made the service principal of $1."
  fi
  echo "$id"
}

patch() { az rest --method PATCH --url "$graph/applications/$1" --headers Content-Type=application/json --body "$2" --output none; }

webhook() {
  local object client ours theirs granted
  object=$(application "runbooks-$1-webhook")
  client=$(az ad app show --id "$object" --query appId --output tsv)
  ours=$(principal "$client")

  # 1. The audience of the token, and the role that the caller must hold. Writing the same again changes nothing.
  patch "$object" "{\"identifierUris\":[\"api://$client\"],\"appRoles\":[{\"id\":\"$role_id\",\"value\":\"$role_name\",\"displayName\":\"$role_name\",\"description\":\"May post alerts\",\"isEnabled\":true,\"allowedMemberTypes\":[\"Application\"]}]}"

  # 2. No token at all for callers without the role.
  az rest --method PATCH --url "$graph/servicePrincipals/$ours" --headers Content-Type=application/json \
    --body '{"appRoleAssignmentRequired":true}' --output none

  # 3. The role, to Azure Monitor's caller and nobody else.
  theirs=$(principal "$caller")
  granted=$(az rest --method GET --url "$graph/servicePrincipals/$ours/appRoleAssignedTo" \
    --query "value[?principalId=='$theirs' && appRoleId=='$role_id'] | [0].id" --output tsv)
  if [ -z "$granted" ]; then
    az rest --method POST --url "$graph/servicePrincipals/$ours/appRoleAssignedTo" --headers Content-Type=application/json \
      --body "{\"principalId\":\"$theirs\",\"resourceId\":\"$ours\",\"appRoleId\":\"$role_id\"}" --output none
    say "Granted $role_name to Azure Monitor."
  fi

  # 4. Azure lets only an owner of the application use it in an action group: the pipeline, when it is not you.
  if [ -n "${DEPLOYER_OBJECT_ID:-}" ] &&
     [ -z "$(az ad app owner list --id "$object" --query "[?id=='$DEPLOYER_OBJECT_ID'] | [0].id" --output tsv)" ]; then
    az ad app owner add --id "$object" --owner-object-id "$DEPLOYER_OBJECT_ID" --output none
    say "Made the deployer an owner."
  fi
  printf 'clientId=%s\nobjectId=%s\n' "$client" "$object"
}

sign_in() {
  local object client
  object=$(application "$1")
  client=$(az ad app show --id "$object" --query appId --output tsv)
  principal "$client" > /dev/null
  # ID tokens for the platform's sign-in; no secret, no permission beyond who the person is.
  patch "$object" "{\"identifierUris\":[\"api://$client\"],\"web\":{\"implicitGrantSettings\":{\"enableIdTokenIssuance\":true}}}"
  printf 'clientId=%s\nobjectId=%s\n' "$client" "$object"
}

# roles OBJECT_ID: what people may do at the pages, for assigning in Enterprise applications, and the groups they are in.
# The ids are ours to choose; fixed, so that a second run changes nothing. Without "Runbooks.…" whoever signs in only looks.
roles() {
  patch "$1" "{\"groupMembershipClaims\":\"SecurityGroup\",\"appRoles\":[\
$(app_role 2f0b7d51-6d6b-4d4a-9d0b-6c1f7e5a1a01 Viewer 'Looks at everything and changes nothing'),\
$(app_role 2f0b7d51-6d6b-4d4a-9d0b-6c1f7e5a1a02 Operator 'Acts on incidents'),\
$(app_role 2f0b7d51-6d6b-4d4a-9d0b-6c1f7e5a1a03 Admin 'Also releases the kill switch and resets breakers')]}"
}

app_role() {
  printf '{"id":"%s","value":"Runbooks.%s","displayName":"%s","description":"%s","isEnabled":true,"allowedMemberTypes":["User"]}' "$1" "$2" "$2" "$3"
}

trust() {
  local client=$1 group=$2 identity=$3 object subject issuer name replies
  shift 3
  object=$(az ad app show --id "$client" --query id --output tsv)
  replies=$(printf '%s\n' "$@" | sort -u | sed 's#/*$#/.auth/login/aad/callback#; s#.*#"&"#' | paste -sd, -)
  patch "$object" "{\"web\":{\"redirectUris\":[$replies],\"implicitGrantSettings\":{\"enableIdTokenIssuance\":true}}}"

  subject=$(az identity show --resource-group "$group" --name "$identity" --query principalId --output tsv)
  issuer="https://login.microsoftonline.com/$(az account show --query tenantId --output tsv)/v2.0"
  name="$identity"
  if [ -z "$(az ad app federated-credential list --id "$object" --query "[?subject=='$subject'] | [0].id" --output tsv)" ]; then
    az ad app federated-credential create --id "$object" --output none --parameters \
      "{\"name\":\"$name\",\"issuer\":\"$issuer\",\"subject\":\"$subject\",\"audiences\":[\"api://AzureADTokenExchange\"]}"
    say "$identity now vouches for the application."
  fi
}

case "${1:-}" in
  webhook) webhook "${2:?environment}" ;;
  sign-in)
    made=$(sign_in "runbooks-${2:?environment}")
    roles "${made##*objectId=}"
    echo "$made"
    ;;
  monitor) sign_in "runbooks-${2:?environment}-monitor" ;;
  trust) shift; [ $# -ge 4 ] || { say "trust CLIENT_ID GROUP IDENTITY URL…"; exit 2; }; trust "$@" ;;
  *) sed -n '2,12p' "$0" >&2; exit 2 ;;
esac
