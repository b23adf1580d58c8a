// The app on Flex Consumption, which runs HTTP, Durable and each other function on instances of their own. Of the first two
// one is always ready: a waiting incident's timer fires on time, and the first alert of the night waits for no cold start.

import { place } from '../types.bicep'

param name string
param planName string
param identityId string
param settings object
@description('Blob container that holds the package, read with the app\'s identity.')
param packageContainerUri string
param alwaysReadyInstances int
param maximumInstances int
param instanceMemoryMB int
@description('Empty: the app calls out over the public network.')
param subnetId string
param workspaceId string
param where place

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: where.location
  tags: where.tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: where.location
  // azd finds the app to deploy to by this tag.
  tags: union(where.tags, { 'azd-service-name': 'runbooks' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // Flex Consumption refuses what says how other plans run, FTP among it: tests/Infra.Tests/ExposureTests.cs has the list.
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
      cors: { allowedOrigins: [] }
      appSettings: [for setting in items(settings): { name: setting.key, value: setting.value }]
    }
    functionAppConfig: {
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUri
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        alwaysReady: alwaysReadyInstances == 0 ? [] : map(['durable', 'http'], group => { name: group, instanceCount: alwaysReadyInstances })
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemoryMB
      }
    }
  }

  // Publishing needs an Entra identity with a role; a leaked publishing password publishes nothing, because there is none.
  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
  }
}

output id string = app.id
output name string = app.name
output hostName string = app.properties.defaultHostName
