#!/usr/bin/env bash
# azd, before provisioning: the Entra application that guards the alert intake. Its ids are kept in the azd environment.
# Without the right to make applications: azd env set RUNBOOKS_SKIP_ENTRA true, and alerts are sent with a function key
# (docs/operations.md, "Let Azure Monitor in").
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "${RUNBOOKS_SKIP_ENTRA:-false}" = true ]; then
  echo "Skipping the Entra application: no secure webhook."
  exit 0
fi

. infra/scripts/use-subscription.sh

ids=$(infra/entra/setup.sh webhook "$AZURE_ENV_NAME")
azd env set ENTRA_WEBHOOK_CLIENT_ID "$(sed -n 's/^clientId=//p' <<<"$ids")"
azd env set ENTRA_WEBHOOK_OBJECT_ID "$(sed -n 's/^objectId=//p' <<<"$ids")"
