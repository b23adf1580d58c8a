// Everything in the system's own resource group, in the order in which one thing needs the other.

import { alerting, channels, connections, durableFunctionsMonitor, place, retention, people, scale } from '../types.bicep'
import {
  channelSettings
  hostSettings
  intakeSettings
  linkSigningSettings
  runbookSettings
  schedulerSettings
  roleSettings
  signInSettings
} from 'app-settings.bicep'
import { connectionSettings } from 'connection-settings.bicep'

@description('Of modules/names.bicep.')
param names object
param where place
param who people
param keep retention
param size scale
param storageSku string
param publicUrl string
param linkSigningKeyIds string[]
param to channels
param reached connections
param alerts alerting
param signInClientId string
param privateNetwork bool
param addressPrefix string
param durableTaskScheduler bool
param monitorApp durableFunctionsMonitor?
param extraSettings object

// The platform looks at the package's host.json to know which hub to scale for, and at no setting: nothing here says another.
var taskHubName = loadJsonContent('../../../host.json', 'extensions.durableTask.hubName')

module identity 'identity.bicep' = {
  name: 'identity'
  params: { name: names.identity, where: where }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: names.workspace
    applicationInsightsName: names.insights
    retentionInDays: keep.logs
    appIdentityName: names.identity
    appPrincipalId: identity.outputs.principalId
    where: where
  }
}

module storage 'storage.bicep' = {
  name: 'storage'
  params: {
    name: names.storage
    sku: storageSku
    keep: keep
    appIdentityName: names.identity
    appPrincipalId: identity.outputs.principalId
    runbookPublisherIds: who.?runbookPublishers ?? []
    evidenceReaderIds: who.?auditors ?? []
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    workspaceId: monitoring.outputs.workspaceId
    where: where
  }
}

module vault 'key-vault.bicep' = {
  name: 'vault'
  params: {
    name: names.vault
    softDeleteRetentionInDays: keep.deleted
    appIdentityName: names.identity
    appPrincipalId: identity.outputs.principalId
    operatorIds: who.?secretOperators ?? []
    publicNetworkAccess: privateNetwork ? 'disabled' : 'enabled'
    workspaceId: monitoring.outputs.workspaceId
    where: where
  }
}

module configuration 'app-configuration.bicep' = {
  name: 'configuration'
  params: {
    name: names.configuration
    appIdentityName: names.identity
    appPrincipalId: identity.outputs.principalId
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    workspaceId: monitoring.outputs.workspaceId
    where: where
  }
}

module scheduler 'durable-task-scheduler.bicep' = if (durableTaskScheduler) {
  name: 'scheduler'
  params: {
    name: names.scheduler
    taskHubName: taskHubName
    appIdentityName: names.identity
    appPrincipalId: identity.outputs.principalId
    where: where
  }
}

module network 'network.bicep' = if (privateNetwork) {
  name: 'network'
  params: { name: names.network, addressPrefix: addressPrefix, where: where }
}

module privateAccess 'private-access.bicep' = if (privateNetwork) {
  name: 'private-access'
  params: {
    prefix: names.network
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointSubnetId
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    configurationId: configuration.outputs.id
    where: where
  }
}

var hostName = '${names.app}.azurewebsites.net'
var url = empty(publicUrl) ? 'https://${hostName}' : publicUrl

var settings = union(
  hostSettings(
    storage.outputs.blobServiceUri,
    storage.outputs.queueServiceUri,
    storage.outputs.tableServiceUri,
    identity.outputs.clientId,
    monitoring.outputs.connectionString
  ),
  runbookSettings(
    url,
    storage.outputs.blobServiceUri,
    storage.outputs.tableServiceUri,
    identity.outputs.clientId,
    keep.incidents
  ),
  linkSigningSettings(linkSigningKeyIds, vault.outputs.uri),
  intakeSettings(alerts.?webhook, tenant().tenantId),
  signInSettings(signInClientId, identity.outputs.clientId, tenant().tenantId),
  empty(signInClientId) ? {} : roleSettings(who),
  channelSettings(to, vault.outputs.uri),
  connectionSettings(reached, configuration.outputs.endpoint, vault.outputs.uri),
  durableTaskScheduler
    ? schedulerSettings(scheduler!.outputs.endpoint, scheduler!.outputs.hubName, identity.outputs.clientId)
    : {},
  extraSettings
)

module app 'function-app.bicep' = {
  name: 'app'
  // Behind private endpoints the app cannot start before it can reach its storage.
  dependsOn: [privateAccess]
  params: {
    name: names.app
    planName: names.plan
    identityId: identity.outputs.id
    settings: settings
    packageContainerUri: '${storage.outputs.blobServiceUri}app-package'
    alwaysReadyInstances: size.alwaysReady
    maximumInstances: size.maximum
    instanceMemoryMB: size.memoryMB
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    workspaceId: monitoring.outputs.workspaceId
    where: where
  }
}

module signIn 'sign-in.bicep' = if (!empty(signInClientId)) {
  name: 'sign-in'
  dependsOn: [app]
  params: {
    appName: names.app
    clientId: signInClientId
    audiences: alerts.?webhook == null ? [] : [alerts.webhook!.identifierUri, alerts.webhook!.clientId]
    // Azure Monitor and Event Grid, as the app itself knows them.
    callers: alerts.?webhook == null ? [] : [
      extraSettings.?Intake__Caller ?? '461e8683-5575-4561-ac7f-899cc907d62a'
      extraSettings.?Intake__EventGridCaller ?? '4962773b-9cdb-44cf-a8bf-237846a00ab7'
    ]
  }
}

module actionGroups 'alerts/action-groups.bicep' = {
  name: 'action-groups'
  dependsOn: [app]
  params: {
    prefix: 'ag-${names.app}'
    // Not the address of people: its name and certificate are somebody's to renew, and an alert that meets an old one is in no log.
    appUrl: 'https://${hostName}'
    webhook: alerts.?webhook
    functionAppName: (alerts.?functionReceiver ?? false) ? names.app : ''
    functionKeyName: alerts.?functionKeyName ?? 'default'
    contactEmails: alerts.contactEmails
    tags: where.tags
  }
}

module exampleAlerts 'alerts/examples.bicep' = {
  name: 'example-alerts'
  params: { wanted: alerts.examples, actionGroupId: actionGroups.outputs.runbooksId, where: where }
}

module systemAlerts 'alerts/system.bicep' = {
  name: 'system-alerts'
  params: {
    workspaceId: monitoring.outputs.workspaceId
    peopleId: actionGroups.outputs.peopleId
    where: where
  }
}

module publicAddress 'alerts/public-address.bicep' = if (!empty(publicUrl) && (alerts.?watchPublicUrl ?? true)) {
  name: 'alert-public-address'
  params: {
    url: url
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    peopleId: actionGroups.outputs.peopleId
    where: where
  }
}

module dfm 'dfm.bicep' = if (monitorApp != null && !durableTaskScheduler) {
  name: 'monitor'
  dependsOn: [storage]
  params: {
    name: names.monitor
    who: monitorApp!
    hubStorageName: names.storage
    taskHubName: taskHubName
    templatePublisherIds: who.?runbookPublishers ?? []
    subnetId: privateNetwork ? network!.outputs.monitorSubnetId : ''
    where: where
  }
}

output appName string = app.outputs.name
output url string = url
output principalId string = identity.outputs.principalId
output identityName string = identity.outputs.name
output vaultName string = vault.outputs.name
output storageName string = storage.outputs.name
output configurationEndpoint string = configuration.outputs.endpoint
output runbooksActionGroupId string = actionGroups.outputs.runbooksId
output monitorTemplateStorage string = dfm.?outputs.?templateStorageName ?? ''
