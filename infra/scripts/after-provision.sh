#!/usr/bin/env bash
# azd, after provisioning: what needs the finished resources. Safe to run again at any time.
set -euo pipefail
cd "$(dirname "$0")/../.."

. infra/scripts/use-subscription.sh

infra/scripts/make-signing-key.sh "$KEY_VAULT_NAME" k1
# The app was made before the key, and may have read its reference when there was nothing to find.
infra/scripts/refresh-secrets.sh "$AZURE_RESOURCE_GROUP" "$APP_NAME"

if [ -n "${ENTRA_SIGNIN_CLIENT_ID:-}" ]; then
  infra/entra/setup.sh trust "$ENTRA_SIGNIN_CLIENT_ID" "$AZURE_RESOURCE_GROUP" "$IDENTITY_NAME" \
    "https://$APP_NAME.azurewebsites.net" "$APP_URL"
fi

if [ -n "${MONITOR_TEMPLATE_STORAGE:-}" ]; then
  infra/scripts/publish-monitor-templates.sh "$MONITOR_TEMPLATE_STORAGE"
fi
