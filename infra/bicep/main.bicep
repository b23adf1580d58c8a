// One deployment: the resource group, the system in it, and exactly the roles elsewhere that its runbooks need.
//   az deployment sub create -n runbooks-<environment>-<region> -l <region> -f infra/bicep/main.bicep -p infra/bicep/main.prod.bicepparam
// or `azd up`. docs/operations.md tells the rest.

targetScope = 'subscription'

import * as shape from 'types.bicep'
import { names } from 'modules/names.bicep'

@description('Part of every name: dev, prod, …')
@minLength(2)
@maxLength(12)
param environmentName string

param location string
param resourceGroupName string = 'rg-runbooks-${environmentName}'
param nameOverrides shape.nameOverrides = {}
param tags object = {}

@description('The address that people see in messages, bound to the app outside this template; empty: the app\'s own, to which alerts go in any case.')
param publicUrl string = ''

@description('Ids of the keys that sign approval links; the first signs, all verify. Their values are in the vault as link-signing-<id>.')
@minLength(1)
param linkSigningKeyIds string[] = ['k1']

param people shape.people = {}
param channels shape.channels = {}
param alerting shape.alerting
param integrations shape.integrations = {}
param connections shape.connections = {}

@description('Make and use narrow role definitions where a built-in role is too broad. Needs the right to define roles.')
param customRoles bool = true

@description('Client id of the sign-in application; empty: pages are opened by signed links and keys alone.')
param signInClientId string = ''

param retention shape.retention = { logs: 30, incidents: 90, evidence: 120, deleted: 14 }
param scale shape.scale = { alwaysReady: 1, maximum: 40, memoryMB: 2048 }
param storageSku ('Standard_LRS' | 'Standard_ZRS' | 'Standard_GZRS') = 'Standard_LRS'

@description('Storage, vault and flags answer only inside a virtual network. First: az provider register -n Microsoft.App --wait')
param privateNetwork bool = false
param addressPrefix string = '10.90.0.0/24'

@description('Make a Durable Task Scheduler. The app must be built with its package, and with a host.json that names it.')
param durableTaskScheduler bool = false

param monitorApp shape.durableFunctionsMonitor?
param budget shape.budget?

@description('Further app settings, see docs/settings.md. A secret is given as a reference to the vault, never as itself.')
param extraSettings object = {}

var allTags = union({ system: 'runbooks', environment: environmentName, 'azd-env-name': environmentName }, tags)
var where shape.place = { location: location, tags: allTags }

var token = take(uniqueString(subscription().id, resourceGroupName), 6)
var chosenNames = names(environmentName, token, nameOverrides)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: allTags
}

module system 'modules/system.bicep' = {
  name: 'runbooks-system'
  scope: group
  params: {
    names: chosenNames
    where: where
    who: people
    keep: retention
    size: scale
    storageSku: storageSku
    publicUrl: publicUrl
    linkSigningKeyIds: linkSigningKeyIds
    to: channels
    reached: connections
    alerts: alerting
    signInClientId: signInClientId
    privateNetwork: privateNetwork
    addressPrefix: addressPrefix
    durableTaskScheduler: durableTaskScheduler
    monitorApp: monitorApp
    extraSettings: extraSettings
  }
}

// Roles may be assigned wherever a resource of an integration lives.
var touched = flatten(map(items(integrations), list => list.key == 'kubernetes' || list.key == 'closeAlerts' ? [] : list.value))
var clusterIds = map(integrations.?kubernetes ?? [], cluster => cluster.id)
var subscriptionIds = union([subscription().subscriptionId], map(concat(touched, clusterIds), id => split(id, '/')[2]))

// Azure keeps a deployment at a subscription where it was first made, and refuses its name elsewhere: one of two environments,
// or of one that is deployed from two regions, needs a name of its own. (The linter means where resources go.)
#disable-next-line no-loc-expr-outside-params
var part = '${environmentName}-${deployment().location}'

module narrow 'modules/custom-roles.bicep' = if (customRoles) {
  name: 'runbooks-roles-${part}'
  params: { environmentName: environmentName, subscriptionIds: subscriptionIds }
}

module grants 'modules/integrations.bicep' = {
  name: 'runbooks-grants-${part}'
  dependsOn: [narrow]
  params: {
    identityName: chosenNames.identity
    principalId: system.outputs.principalId
    wanted: integrations
    environmentName: environmentName
    part: part
    narrow: customRoles
  }
}

module limit 'modules/budget.bicep' = if (budget != null) {
  name: 'runbooks-budget'
  scope: group
  params: { name: 'budget-runbooks-${environmentName}', limit: budget! }
}

output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = system.outputs.appName
output APP_URL string = system.outputs.url
output IDENTITY_NAME string = system.outputs.identityName
output KEY_VAULT_NAME string = system.outputs.vaultName
output STORAGE_ACCOUNT_NAME string = system.outputs.storageName
output APP_CONFIGURATION_ENDPOINT string = system.outputs.configurationEndpoint
output RUNBOOKS_ACTION_GROUP_ID string = system.outputs.runbooksActionGroupId
output MONITOR_TEMPLATE_STORAGE string = system.outputs.monitorTemplateStorage
