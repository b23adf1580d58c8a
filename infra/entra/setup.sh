#!/usr/bin/env bash
# What Bicep cannot make: Entra applications. Every step looks first and changes only what is missing; run it as often
# as you like. Needs the Azure CLI, signed in as somebody who may make applications and grant app roles
# (Application Administrator with Privileged Role Administrator, or Cloud Application Administrator where that suffices).
#
#   setup.sh webhook ENVIRONMENT [--event-grid]  the application behind Azure Monitor's secure webhook; with the option
#                                                Event Grid may call it too
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
# "Microsoft.EventGrid", the same in every tenant of the public cloud.
grid_caller=4962773b-9cdb-44cf-a8bf-237846a00ab7
grid_role_name=AzureEventGridSecureWebhookSubscriber

say() { echo "$*" >&2; }

# Functions that are called for what they print return by themselves when a call fails: "set -e" does not reach into $(…).

# application NAME: object id of the application with that name, made if need be.
application() {
  local id
  id=$(az ad app list --filter "displayName eq '$1'" --query "[0].id" --output tsv) || return
  if [ -z "$id" ]; then
    id=$(az ad app create --display-name "$1" --sign-in-audience AzureADMyOrg --query id --output tsv) || return
    say "Made the application $1."
  fi
  echo "$id"
}

# principal APP_ID: object id of its service principal in this tenant, made if need be.
principal() {
  local id
  id=$(az ad sp list --filter "appId eq '$1'" --query "[0].id" --output tsv) || return
  if [ -z "$id" ]; then
    id=$(az ad sp create --id "$1" --query id --output tsv) || return
    say "Made the service principal of $1."
  fi
  echo "$id"
}

patch() { az rest --method PATCH --url "$graph/applications/$1" --headers Content-Type=application/json --body "$2" --output none; }

# Graph writes a list as a whole: what others have added is read first and written with it.

# with OBJECT_ID QUERY TEXT…: a list of texts of the application, as JSON, with these in it.
with() {
  local object=$1 query=$2 have
  shift 2
  have=$(az ad app show --id "$object" --query "$query" --output tsv) || return
  printf '%s\n' "$have" "$@" | sed '/^$/d' | sort -u | sed 's#.*#"&"#' | paste -sd, -
}

# add_roles OBJECT_ID 'ID VALUE MEMBERS DESCRIPTION'…: makes the roles that are missing, in one write (a role that is left
# out is refused while it is enabled). Prints VALUE and id of each. An id is ours to choose; a role made by hand has another.
add_roles() {
  local object=$1 have list role id value members about found missing=""
  shift
  have=$(az ad app show --id "$object" --query "appRoles[].[value,id]" --output tsv) || return
  for role in "$@"; do
    read -r id value members about <<<"$role"
    found=$(awk -v value="$value" '$1 == value { print $2 }' <<<"$have")
    if [ -z "$found" ]; then
      missing+=",{\"id\":\"$id\",\"value\":\"$value\",\"displayName\":\"${value#Runbooks.}\",\"description\":\"$about\",\"isEnabled\":true,\"allowedMemberTypes\":[$members]}"
      say "The role $value is missing, so it is made."
    fi
    echo "$value ${found:-$id}"
  done
  if [ -n "$missing" ]; then
    list=$(az ad app show --id "$object" --query appRoles --output json | tr -d '\n') || return
    list=${list#[} list=${list%]}
    list=$list$missing
    patch "$object" "{\"appRoles\":[${list#,}]}" || return
  fi
}

# id_of VALUE ROLES: from what add_roles printed.
id_of() { awk -v value="$1" '$1 == value { print $2 }' <<<"$2"; }

# grant PRINCIPAL CALLER ROLE_ID ROLE: the role, to the principal of the application CALLER.
grant() {
  local ours=$1 theirs granted
  theirs=$(principal "$2")
  granted=$(az rest --method GET --url "$graph/servicePrincipals/$ours/appRoleAssignedTo" \
    --query "value[?principalId=='$theirs' && appRoleId=='$3'] | [0].id" --output tsv)
  if [ -z "$granted" ]; then
    az rest --method POST --url "$graph/servicePrincipals/$ours/appRoleAssignedTo" --headers Content-Type=application/json \
      --body "{\"principalId\":\"$theirs\",\"resourceId\":\"$ours\",\"appRoleId\":\"$3\"}" --output none
    say "Granted $4 to $2."
  fi
}

webhook() {
  local object client ours uris made deployer
  object=$(application "runbooks-$1-webhook")
  client=$(az ad app show --id "$object" --query appId --output tsv)
  ours=$(principal "$client")

  # 1. The audience of the token, its version, and the roles that callers must hold. App Service, where it looks at tokens,
  # knows the issuer of the second version alone. Event Grid also asks its role of whoever makes the subscription.
  uris=$(with "$object" 'identifierUris[]' "api://$client")
  patch "$object" "{\"identifierUris\":[$uris],\"api\":{\"requestedAccessTokenVersion\":2}}"
  made=$(add_roles "$object" \
    "6b1c3a52-0f0e-4d56-9f5b-5b2d8f3b7c11 $role_name \"Application\" May post alerts" \
    "6b1c3a52-0f0e-4d56-9f5b-5b2d8f3b7c12 $grid_role_name \"Application\",\"User\" May post events of Event Grid")

  # 2. No token at all for callers without the role.
  az rest --method PATCH --url "$graph/servicePrincipals/$ours" --headers Content-Type=application/json \
    --body '{"appRoleAssignmentRequired":true}' --output none

  # 3. The role, to Azure Monitor's caller and nobody else; that of Event Grid only where it is asked for.
  grant "$ours" "$caller" "$(id_of "$role_name" "$made")" "$role_name"
  if [ "${2:-}" = --event-grid ]; then
    grant "$ours" "$grid_caller" "$(id_of "$grid_role_name" "$made")" "$grid_role_name"
  fi

  # 4. Azure lets only an owner of the application use it in an action group, and who made it as an administrator is none:
  # whoever is signed in, or the pipeline when that deploys.
  deployer=${DEPLOYER_OBJECT_ID:-$(az ad signed-in-user show --query id --output tsv 2>/dev/null || true)}
  if [ -n "$deployer" ] &&
     [ -z "$(az ad app owner list --id "$object" --query "[?id=='$deployer'] | [0].id" --output tsv)" ]; then
    az ad app owner add --id "$object" --owner-object-id "$deployer" --output none
    say "Made the deployer an owner."
  fi
  printf 'clientId=%s\nobjectId=%s\n' "$client" "$object"
}

sign_in() {
  local object client uris
  object=$(application "$1")
  client=$(az ad app show --id "$object" --query appId --output tsv)
  principal "$client" > /dev/null
  # ID tokens for the platform's sign-in; no secret, no permission beyond who the person is.
  uris=$(with "$object" 'identifierUris[]' "api://$client")
  patch "$object" "{\"identifierUris\":[$uris],\"web\":{\"implicitGrantSettings\":{\"enableIdTokenIssuance\":true}}}"
  if [ "${2:-}" = roles ]; then
    roles "$object"
  fi
  printf 'clientId=%s\nobjectId=%s\n' "$client" "$object"
}

# roles OBJECT_ID: what people may do at the pages, for assigning in Enterprise applications, and the groups they are in.
# Without "Runbooks.…" whoever signs in only looks.
roles() {
  patch "$1" '{"groupMembershipClaims":"SecurityGroup"}'
  add_roles "$1" \
    '2f0b7d51-6d6b-4d4a-9d0b-6c1f7e5a1a01 Runbooks.Viewer "User" Looks at everything and changes nothing' \
    '2f0b7d51-6d6b-4d4a-9d0b-6c1f7e5a1a02 Runbooks.Operator "User" Acts on incidents' \
    '2f0b7d51-6d6b-4d4a-9d0b-6c1f7e5a1a03 Runbooks.Admin "User" Also releases the kill switch and resets breakers' > /dev/null
}

trust() {
  local client=$1 group=$2 identity=$3 object subject issuer name url addresses replies=()
  shift 3
  object=$(az ad app show --id "$client" --query id --output tsv)
  for url in "$@"; do replies+=("${url%/}/.auth/login/aad/callback"); done
  addresses=$(with "$object" 'web.redirectUris[]' "${replies[@]}")
  patch "$object" "{\"web\":{\"redirectUris\":[$addresses],\"implicitGrantSettings\":{\"enableIdTokenIssuance\":true}}}"

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
  webhook) webhook "${2:?environment}" "${3:-}" ;;
  sign-in) sign_in "runbooks-${2:?environment}" roles ;;
  monitor) sign_in "runbooks-${2:?environment}-monitor" ;;
  trust) shift; [ $# -ge 4 ] || { say "trust CLIENT_ID GROUP IDENTITY URL…"; exit 2; }; trust "$@" ;;
  *) sed -n '2,13p' "$0" >&2; exit 2 ;;
esac
