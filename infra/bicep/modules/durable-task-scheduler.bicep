// Optional: the managed Durable Task Scheduler in place of the storage account's queues and tables.

import { place } from '../types.bicep'
import { roles } from 'roles.bicep'

param name string
param taskHubName string
@description('Names the assignment, so that what-if can predict it; the principal id is known only later.')
param appIdentityName string
param appPrincipalId string
param where place

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: name
  location: where.location
  tags: where.tags
  properties: {
    sku: { name: 'Consumption' }
    // An empty list refuses everybody. Access is by identity and role; the app has no fixed address to list here.
    ipAllowlist: ['0.0.0.0/0']
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' = {
  parent: scheduler
  name: taskHubName
}

// On the hub, not on the scheduler: another system's hub in the same scheduler stays out of reach.
resource app 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, appIdentityName, roles.durableTaskDataContributor)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.durableTaskDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

output endpoint string = scheduler.properties.endpoint
output hubName string = hub.name
