// Two groups. "runbooks" tells the app, which runs the runbook. "people" tells humans directly, for alerts about the app
// itself: a sick system must not be the one that reports that it is sick.

import { secureWebhook } from '../../types.bicep'

param prefix string
@description('The app\'s own address. Callers with a token and callers with a key have an intake each.')
param appUrl string
@description('The Entra application that guards the intake; null: the function receiver or none.')
param webhook secureWebhook?
@description('Use the function receiver. Its URL carries a key, so the app must have been deployed once.')
param functionAppName string
@description('Which function key its URL carries.')
param functionKeyName string
@description('Mail addresses that hear about the system itself.')
param contactEmails string[]
param tags object

resource app 'Microsoft.Web/sites@2024-11-01' existing = if (!empty(functionAppName)) {
  name: functionAppName
}

var secureReceivers = webhook == null ? [] : [
  {
    name: 'runbooks'
    serviceUri: '${appUrl}/api/secure/alerts/azure-monitor'
    useCommonAlertSchema: true
    useAadAuth: true
    objectId: webhook!.objectId
    identifierUri: webhook!.identifierUri
    tenantId: tenant().tenantId
  }
]

var functionReceivers = empty(functionAppName) ? [] : [
  {
    // An alert that comes both ways folds; receivers of one name are refused.
    name: 'runbooks-function'
    functionAppResourceId: app.id
    functionName: 'AlertIntake'
    httpTriggerUrl: '${appUrl}/api/alerts/azure-monitor?code=${listKeys('${app.id}/host/default', '2024-11-01').functionKeys[functionKeyName]}'
    useCommonAlertSchema: true
  }
]

resource runbooks 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-runbooks'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'runbooks'
    enabled: true
    webhookReceivers: secureReceivers
    azureFunctionReceivers: functionReceivers
  }
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-people'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'rb-people'
    enabled: true
    emailReceivers: [for address in contactEmails: { name: address, emailAddress: address, useCommonAlertSchema: true }]
  }
}

output runbooksId string = runbooks.id
output peopleId string = people.id
