#!/usr/bin/env bash
# Makes a key that signs approval links, unless it is there: make-signing-key.sh VAULT KEY_ID
# The value is never printed, and never on a command line where other users of the machine could read it.
set -euo pipefail
vault=${1:?vault name}
id=${2:?key id, letters and digits}
name="link-signing-$id"

[[ $id =~ ^[A-Za-z0-9]{1,16}$ ]] || { echo "A key id has 1 to 16 letters and digits." >&2; exit 2; }

file=$(mktemp)
trap 'rm -f "$file"' EXIT
chmod 600 "$file"
# 48 random bytes; the app asks for 32 or more.
openssl rand -base64 48 | tr -d '\n' > "$file"

# A role that was granted a minute ago may not be known everywhere yet. Only a list that was answered tells that there is no key:
# a second one in its place would make every link that is under way worthless.
for attempt in 1 2 3 4 5 6; do
  if found=$(az keyvault secret list --vault-name "$vault" --query "[?name=='$name'].name" --output tsv); then
    if [ -n "$found" ]; then
      echo "$name is already in $vault: left as it is."
      exit 0
    fi
    if az keyvault secret set --vault-name "$vault" --name "$name" --file "$file" --encoding utf-8 --output none; then
      echo "$name made in $vault."
      exit 0
    fi
  fi
  echo "Attempt $attempt: the vault refuses. Waiting for the role assignment…" >&2
  sleep "${RUNBOOKS_RETRY_SECONDS:-20}"
done
echo "$vault does not answer. Do you hold Key Vault Secrets Officer, and does the network let you in?" >&2
exit 1
