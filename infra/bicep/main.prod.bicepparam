// Production with everything on, to show every switch. Take out what your runbooks do not use: each line below is a role.
using 'main.bicep'

param environmentName = 'prod'
param location = 'westeurope'
param tags = { owner: 'ml-platform', costCentre: 'operations' }
param publicUrl = 'https://runbooks.example.com'

param people = {
  secretOperators: ['00000000-0000-0000-0000-0000000000a1']
  runbookPublishers: ['00000000-0000-0000-0000-0000000000a2']
  auditors: ['00000000-0000-0000-0000-0000000000a3']
}

param channels = {
  slack: { channel: '#oncall' }
  teams: true
  pagerDuty: true
  email: { host: 'smtp.example.com', port: 587, from: 'runbooks@example.com', user: 'runbooks' }
}

var subscription = '/subscriptions/00000000-0000-0000-0000-000000000001'
var edge = '${subscription}/resourceGroups/rg-edge/providers'
var inference = '${subscription}/resourceGroups/rg-inference/providers'
var shared = '${subscription}/resourceGroups/rg-shared/providers'

param alerting = {
  webhook: {
    clientId: '00000000-0000-0000-0000-0000000000b1'
    objectId: '00000000-0000-0000-0000-0000000000b2'
    identifierUri: 'api://00000000-0000-0000-0000-0000000000b1'
  }
  contactEmails: ['oncall@example.com', 'platform-lead@example.com']
  examples: {
    prometheusWorkspaceId: '${shared}/Microsoft.Monitor/accounts/amw-prod'
    applicationInsightsId: '${shared}/Microsoft.Insights/components/appi-chat-prod'
    frontDoorProfileId: '${edge}/Microsoft.Cdn/profiles/afd-prod'
    machinesWorkspaceId: '${shared}/Microsoft.OperationalInsights/workspaces/log-prod'
  }
}

param signInClientId = '00000000-0000-0000-0000-0000000000c1'

param integrations = {
  kubernetes: [
    { id: '${inference}/Microsoft.ContainerService/managedClusters/aks-a', namespaces: ['inference'] }
    { id: '${inference}/Microsoft.ContainerService/managedClusters/aks-b', namespaces: ['inference'] }
  ]
  appConfiguration: ['${shared}/Microsoft.AppConfiguration/configurationStores/appcs-chat-prod']
  frontDoorWaf: ['${edge}/Microsoft.Network/frontDoorWebApplicationFirewallPolicies/wafprod']
  applicationGatewayWaf: ['${edge}/Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies/waf-agw-prod']
  apiManagement: ['${edge}/Microsoft.ApiManagement/service/apim-prod']
  openAi: ['${inference}/Microsoft.CognitiveServices/accounts/oai-prod']
  trafficManager: ['${edge}/Microsoft.Network/trafficManagerProfiles/tm-prod']
  frontDoorOrigins: ['${edge}/Microsoft.Cdn/profiles/afd-prod']
  virtualMachines: ['${inference}/Microsoft.Compute/virtualMachines/vm-batch-1']
  webApps: ['${inference}/Microsoft.Web/sites/app-search']
  containerApps: ['${inference}/Microsoft.App/containerApps/ca-ranker']
  metrics: ['${edge}/Microsoft.Cdn/profiles/afd-prod']
  logs: ['${shared}/Microsoft.OperationalInsights/workspaces/log-prod']
  prometheus: ['${shared}/Microsoft.Monitor/accounts/amw-prod']
  closeAlerts: true
}

param scale = { alwaysReady: 1, maximum: 40, memoryMB: 2048 }
param storageSku = 'Standard_ZRS'
param privateNetwork = true
param retention = { logs: 90, incidents: 365, evidence: 400, deleted: 30 }
param budget = { amount: 300, contactEmails: ['platform-lead@example.com'], startDate: '2026-12-01' }
param monitorApp = {
  clientId: '00000000-0000-0000-0000-0000000000c2'
  allowedUsers: ['oncall@example.com']
}
