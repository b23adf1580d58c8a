# Sourced by the scripts that azd runs. The Azure CLI goes by a subscription of its own, azd by the one that it asked for.
if [ -n "${AZURE_SUBSCRIPTION_ID:-}" ]; then
  az account set --subscription "$AZURE_SUBSCRIPTION_ID"
  echo "The Azure CLI now works in the subscription $AZURE_SUBSCRIPTION_ID, as azd does."
fi
