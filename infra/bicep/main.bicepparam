// What `azd up` uses: everything comes from the azd environment, so nothing has to be edited to get a working system.
// infra/entra/setup.sh (run by azd before provisioning) fills in the ENTRA_ variables.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')

// Whoever runs azd may set secrets, or the signing key could not be made.
var operator = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param people = empty(operator) ? {} : { secretOperators: [operator], runbookPublishers: [operator] }

var webhookClientId = readEnvironmentVariable('ENTRA_WEBHOOK_CLIENT_ID', '')
param alerting = {
  webhook: empty(webhookClientId) ? null : {
    clientId: webhookClientId
    objectId: readEnvironmentVariable('ENTRA_WEBHOOK_OBJECT_ID', '')
    identifierUri: 'api://${webhookClientId}'
  }
  contactEmails: [readEnvironmentVariable('RUNBOOKS_CONTACT_EMAIL')]
  examples: {}
}

param signInClientId = readEnvironmentVariable('ENTRA_SIGNIN_CLIENT_ID', '')
param customRoles = readEnvironmentVariable('RUNBOOKS_CUSTOM_ROLES', 'true') == 'true'
