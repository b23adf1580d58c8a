// The capability flags that a runbook switches (provider-outage: local-model-only) and the applications read.

import { place } from '../types.bicep'
import { roles } from 'roles.bicep'

param name string
@description('Names the assignment, so that what-if can predict it; the principal id is known only later.')
param appIdentityName string
param appPrincipalId string
param publicNetworkAccess 'Enabled' | 'Disabled'
param workspaceId string
param where place

resource store 'Microsoft.AppConfiguration/configurationStores@2024-06-01' = {
  name: name
  location: where.location
  tags: where.tags
  // Standard: private endpoints, and no daily request cap that a busy incident could run into.
  sku: { name: 'standard' }
  properties: {
    disableLocalAuth: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 7
    publicNetworkAccess: publicNetworkAccess
  }
}

resource app 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(store.id, appIdentityName, roles.appConfigurationDataOwner)
  scope: store
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.appConfigurationDataOwner)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: store
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'Audit', enabled: true }]
  }
}

output id string = store.id
output endpoint string = store.properties.endpoint
