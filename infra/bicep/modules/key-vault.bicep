// The link-signing key and the channels' secrets. The template never holds a value: make-signing-key.sh makes the key,
// the operators set the rest, the app reads them through references.

import { place } from '../types.bicep'
import { roles } from 'roles.bicep'

param name string
param softDeleteRetentionInDays int
@description('Names the assignment, so that what-if can predict it; the principal id is known only later.')
param appIdentityName string
param appPrincipalId string
@description('People or groups who may set and rotate secrets.')
param operatorIds string[]
param publicNetworkAccess 'enabled' | 'disabled'
param workspaceId string
param where place

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: where.location
  tags: where.tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteRetentionInDays
    // A deleted signing key would make every open approval link worthless: nobody may purge it early.
    enablePurgeProtection: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: { defaultAction: publicNetworkAccess == 'enabled' ? 'Allow' : 'Deny', bypass: 'AzureServices' }
  }
}

resource app 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appIdentityName, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource operators 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in operatorIds: {
  name: guid(vault.id, id, roles.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
    principalId: id
  }
}]

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
