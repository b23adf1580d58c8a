// What the app may do to resources that are not its own: one line a job, nothing that was not asked for.

targetScope = 'subscription'

import { integrations } from '../types.bicep'
import { narrowRoleName } from 'custom-roles.bicep'
import { roles } from 'roles.bicep'

@description('Names the assignments, so that what-if can predict them; the principal id is known only later.')
param identityName string
param principalId string
param wanted integrations
param environmentName string
@description('Ends the names of deployments at a subscription.')
param part string
@description('Use the narrow roles of custom-roles.bicep, which must exist, where there is one.')
param narrow bool

func role(id string) string => subscriptionResourceId('Microsoft.Authorization/roleDefinitions', id)

var own = {
  clusterReader: role(narrowRoleName(environmentName, 'clusterReader'))
  podRecycler: role(narrowRoleName(environmentName, 'podRecycler'))
  deployments: role(narrowRoleName(environmentName, 'deployments'))
  nodes: role(narrowRoleName(environmentName, 'nodes'))
  reimageNodes: role(narrowRoleName(environmentName, 'reimageNodes'))
  frontDoorWaf: role(narrowRoleName(environmentName, 'frontDoorWaf'))
  applicationGatewayWaf: role(narrowRoleName(environmentName, 'applicationGatewayWaf'))
  apiManagement: role(narrowRoleName(environmentName, 'apiManagement'))
  openAi: role(narrowRoleName(environmentName, 'openAi'))
  machineLearning: role(narrowRoleName(environmentName, 'machineLearning'))
  frontDoorOrigins: role(narrowRoleName(environmentName, 'frontDoorOrigins'))
  runCommand: role(narrowRoleName(environmentName, 'runCommand'))
  webApps: role(narrowRoleName(environmentName, 'webApps'))
  containerApps: role(narrowRoleName(environmentName, 'containerApps'))
  followOperations: role(narrowRoleName(environmentName, 'followOperations'))
  closeAlerts: role(narrowRoleName(environmentName, 'closeAlerts'))
}

var clusters = wanted.?kubernetes ?? []
// Credentials are listed on the cluster; pods are touched only where a namespace was named.
var clusterUsers = map(clusters, c => { id: c.id, role: role(roles.aksClusterUser), reason: 'Get a token for the cluster' })
var readerScopes = map(filter(clusters, c => c.?lookOnly ?? false), c => c.id)
var acting = filter(clusters, c => !(c.?lookOnly ?? false))
var podRole = narrow ? own.podRecycler : role(roles.aksRbacWriter)
var podScopes = flatten(map(
  acting,
  c => empty(c.?namespaces ?? []) ? [c.id] : map(c.?namespaces ?? [], namespace => '${c.id}/namespaces/${namespace}')
))
var deploymentScopes = flatten(map(acting, c => map(c.?deployments ?? [], namespace => '${c.id}/namespaces/${namespace}')))
var nodeScopes = map(filter(acting, c => c.?nodes ?? false), c => c.id)

var jobs = [
  { ids: readerScopes, role: narrow ? own.clusterReader : role(roles.aksRbacReader), reason: 'Look at pods, deployments and nodes' }
  { ids: podScopes, role: podRole, reason: 'Recycle pods' }
  { ids: deploymentScopes, role: narrow ? own.deployments : role(roles.aksRbacWriter), reason: 'Restart and scale deployments' }
  { ids: nodeScopes, role: narrow ? own.nodes : role(roles.aksRbacClusterAdmin), reason: 'Cordon, taint and drain nodes' }
  {
    ids: wanted.?nodeScaleSets ?? []
    role: narrow ? own.reimageNodes : role(roles.virtualMachineContributor)
    reason: 'Reimage the machines of nodes'
  }
  { ids: wanted.?appConfiguration ?? [], role: role(roles.appConfigurationDataOwner), reason: 'Switch capability flags' }
  { ids: wanted.?frontDoorWaf ?? [], role: narrow ? own.frontDoorWaf : role(roles.networkContributor), reason: 'Block a signature' }
  {
    ids: wanted.?applicationGatewayWaf ?? []
    role: narrow ? own.applicationGatewayWaf : role(roles.networkContributor)
    reason: 'Block a signature'
  }
  {
    ids: wanted.?apiManagement ?? []
    role: narrow ? own.apiManagement : role(roles.apiManagementServiceContributor)
    reason: 'Suspend a subscription key, weigh backends'
  }
  { ids: wanted.?openAi ?? [], role: narrow ? own.openAi : role(roles.cognitiveServicesContributor), reason: 'Regenerate a key, spill over, block prompts' }
  { ids: wanted.?machineLearning ?? [], role: narrow ? own.machineLearning : role(roles.azureMlDataScientist), reason: 'Move the traffic of online endpoints' }
  { ids: wanted.?machineLearningIdentities ?? [], role: role(roles.managedIdentityOperator), reason: 'Write online endpoints that have this identity' }
  { ids: wanted.?trafficManager ?? [], role: role(roles.trafficManagerContributor), reason: 'Re-route traffic' }
  {
    ids: wanted.?frontDoorOrigins ?? []
    role: narrow ? own.frontDoorOrigins : role(roles.cdnProfileContributor)
    reason: 'Re-route traffic'
  }
  // The narrow roles read the metrics of what they change. Of the built-in ones only Cognitive Services Contributor does.
  {
    ids: narrow ? [] : concat(wanted.?apiManagement ?? [], wanted.?frontDoorOrigins ?? [])
    role: role(roles.monitoringReader)
    reason: 'Read the metrics of what is changed'
  }
  {
    ids: wanted.?virtualMachines ?? []
    role: narrow ? own.runCommand : role(roles.virtualMachineContributor)
    reason: 'Run the clean-up script'
  }
  { ids: wanted.?webApps ?? [], role: narrow ? own.webApps : role(roles.websiteContributor), reason: 'Restart the app' }
  { ids: wanted.?containerApps ?? [], role: narrow ? own.containerApps : role(roles.contributor), reason: 'Restart a revision' }
  { ids: wanted.?metrics ?? [], role: role(roles.monitoringReader), reason: 'Read metrics and resource health' }
  { ids: wanted.?logs ?? [], role: role(roles.logAnalyticsReader), reason: 'Query logs' }
  { ids: wanted.?prometheus ?? [], role: role(roles.monitoringDataReader), reason: 'Query Prometheus metrics' }
]

var asked = concat(
  clusterUsers,
  flatten(map(jobs, job => map(job.ids, id => { id: id, role: job.role, reason: job.reason })))
)
// Two jobs may need the same role on the same resource, and it is assigned once.
var grants = filter(asked, (one, at) => !contains(map(take(asked, at), earlier => '${earlier.id} ${earlier.role}'), '${one.id} ${one.role}'))

module grant 'grant.json' = [for g in grants: {
  name: 'grant-${uniqueString(g.id, g.role, identityName)}'
  scope: resourceGroup(split(g.id, '/')[2], split(g.id, '/')[4])
  params: { resourceId: g.id, identityName: identityName, principalId: principalId, roleDefinitionId: g.role, reason: g.reason }
}]

// What is changed in a long-running operation. No built-in role reads operations and nothing more, so there is none without
// the narrow one.
var longRunning = concat(
  wanted.?nodeScaleSets ?? [],
  wanted.?frontDoorWaf ?? [],
  wanted.?applicationGatewayWaf ?? [],
  wanted.?openAi ?? [],
  wanted.?machineLearning ?? [],
  wanted.?frontDoorOrigins ?? [],
  wanted.?virtualMachines ?? []
)

module follow 'follow-operations.bicep' = [for id in narrow ? union(map(longRunning, id => split(id, '/')[2]), []) : []: {
  name: 'follow-${uniqueString(id)}-${part}'
  scope: subscription(id)
  params: { identityName: identityName, principalId: principalId, roleDefinitionId: own.followOperations }
}]

// Alerts live at the subscription, so this one cannot be scoped any lower.
var closeRole = narrow ? own.closeAlerts : role(roles.monitoringContributor)

resource closeAlerts 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (wanted.?closeAlerts ?? false) {
  name: guid(subscription().id, identityName, closeRole)
  properties: {
    roleDefinitionId: closeRole
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Acknowledge and close alerts'
  }
}
