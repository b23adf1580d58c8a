// Optional: Durable Functions Monitor beside the app, to look at histories. Read-only twice over: by its own switch, and
// because its identity holds only reader roles on the hub's storage. Its host's locks and keys, and the tab templates of
// infra/dfmon, live in a small account of its own, so nothing forces a writer's role on the hub.
// It reads storage hubs; a Durable Task Scheduler has its own dashboard.

import { durableFunctionsMonitor, place } from '../types.bicep'
import { roles } from 'roles.bicep'

param name string
param who durableFunctionsMonitor
@description('Pin it to a digest: the image is somebody else\'s.')
param image string = 'scaletone/durablefunctionsmonitor:6.7'
param hubStorageName string
param taskHubName string
@description('Who may upload tab templates.')
param templatePublisherIds string[]
@description('Where the hub can be reached from, when its storage is private.')
param subnetId string
param where place

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: where.location
  tags: where.tags
}

resource own 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: take('stdfm${uniqueString(resourceGroup().id, name)}', 24)
  location: where.location
  tags: where.tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'
    resource templates 'containers' = {
      name: 'durable-functions-monitor'
      properties: { publicAccess: 'None' }
    }
  }
}

resource hub 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hubStorageName
}

var ownRoles = [roles.storageBlobDataOwner, roles.storageQueueDataContributor, roles.storageTableDataContributor]

resource host 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in ownRoles: {
  name: guid(own.id, identity.id, role)
  scope: own
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}]

var hubRoles = [roles.storageBlobDataReader, roles.storageQueueDataReader, roles.storageTableDataReader]

resource readers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in hubRoles: {
  name: guid(hub.id, identity.id, role)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}]

resource templatePublishers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in templatePublisherIds: {
  name: guid(own::blobs::templates.id, id, roles.storageBlobDataContributor)
  scope: own::blobs::templates
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
    principalId: id
  }
}]

// The monitor knows a hub of another account by the connection's name and its own, with a hyphen between, and shows no other
// than the one it is told. The hub's name alone would mean one in the monitor's own account, which has none.
var connectionName = 'RUNBOOKS'
var hubConnection = 'DFM_ALTERNATIVE_CONNECTION_STRING_${connectionName}'

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: where.location
  tags: where.tags
  kind: 'linux'
  sku: { name: 'B1', tier: 'Basic' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: where.location
  tags: where.tags
  kind: 'functionapp,linux,container'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      linuxFxVersion: 'DOCKER|${image}'
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      appSettings: [
        { name: 'DFM_MODE', value: 'ReadOnly' }
        { name: 'DFM_HUB_NAME', value: '${connectionName}-${taskHubName}' }
        { name: 'DFM_ALLOWED_USER_NAMES', value: join(who.allowedUsers, ',') }
        { name: '${hubConnection}__blobServiceUri', value: hub.properties.primaryEndpoints.blob }
        { name: '${hubConnection}__queueServiceUri', value: hub.properties.primaryEndpoints.queue }
        { name: '${hubConnection}__tableServiceUri', value: hub.properties.primaryEndpoints.table }
        { name: '${hubConnection}__credential', value: 'managedidentity' }
        { name: '${hubConnection}__clientId', value: identity.properties.clientId }
        { name: 'AzureWebJobsStorage__accountName', value: own.name }
        { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
        { name: 'AzureWebJobsStorage__clientId', value: identity.properties.clientId }
        { name: 'FUNCTIONS_EXTENSION_VERSION', value: '~4' }
        { name: 'WEBSITES_ENABLE_APP_SERVICE_STORAGE', value: 'false' }
        { name: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID', value: identity.properties.clientId }
      ]
    }
  }

  resource scm 'basicPublishingCredentialsPolicies' = { name: 'scm', properties: { allow: false } }
  resource ftp 'basicPublishingCredentialsPolicies' = { name: 'ftp', properties: { allow: false } }

  // Nothing is shown to anybody who has not signed in.
  resource auth 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: { requireAuthentication: true, unauthenticatedClientAction: 'RedirectToLoginPage' }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: who.clientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
            clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
          }
        }
      }
    }
  }
}

output hostName string = app.properties.defaultHostName
output templateStorageName string = own.name
