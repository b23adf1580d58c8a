// The app's storage: host locks, the Durable task hub, incidents (tables), evidence, banner, runbooks and the package.
// No shared key exists for anyone to leak; every reader and writer is an identity with a role.

import { place, retention } from '../types.bicep'
import { roles } from 'roles.bicep'

param name string
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS'])
param sku string
param keep retention
@description('Names the assignment, so that what-if can predict it; the principal id is known only later.')
param appIdentityName string
param appPrincipalId string
@description('Identities that may publish runbooks: a pipeline, not the app.')
param runbookPublisherIds string[]
@description('Identities that may read evidence: the auditors.')
param evidenceReaderIds string[]
param publicNetworkAccess 'Enabled' | 'Disabled'
param workspaceId string
param where place

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: where.location
  tags: where.tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: { defaultAction: publicNetworkAccess == 'Enabled' ? 'Allow' : 'Deny', bypass: 'AzureServices' }
  }
}

// Versions and soft delete: what an insider or a bad script deletes can be brought back within the retention.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: keep.deleted }
    containerDeleteRetentionPolicy: { enabled: true, days: keep.deleted }
  }
}

var containerNames = ['app-package', 'banner', 'documents', 'evidence', 'runbooks']

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for container in containerNames: {
  parent: blobs
  name: container
  properties: { publicAccess: 'None' }
}]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  dependsOn: [blobs]
  properties: {
    policy: {
      rules: [
        {
          name: 'evidence'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['evidence/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: keep.evidence } } }
          }
        }
        {
          name: 'old-versions'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'] }
            actions: { version: { delete: { daysAfterCreationGreaterThan: keep.deleted } } }
          }
        }
      ]
    }
  }
}

// Account scope, not container scope: the Durable extension makes its own queues, tables and lease containers.
var appRoles = [roles.storageBlobDataOwner, roles.storageQueueDataContributor, roles.storageTableDataContributor]

resource app 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in appRoles: {
  name: guid(account.id, appIdentityName, role)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}]

resource publishers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in runbookPublisherIds: {
  name: guid(containers[indexOf(containerNames, 'runbooks')].id, id, roles.storageBlobDataContributor)
  scope: containers[indexOf(containerNames, 'runbooks')]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
    principalId: id
  }
}]

resource auditors 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in evidenceReaderIds: {
  name: guid(containers[indexOf(containerNames, 'evidence')].id, id, roles.storageBlobDataReader)
  scope: containers[indexOf(containerNames, 'evidence')]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader)
    principalId: id
  }
}]

// Who changed evidence and runbooks. Queues and tables are left out: the hub polls them all day.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

output id string = account.id
output name string = account.name
output blobServiceUri string = account.properties.primaryEndpoints.blob
output queueServiceUri string = account.properties.primaryEndpoints.queue
output tableServiceUri string = account.properties.primaryEndpoints.table
