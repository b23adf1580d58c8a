// Production with everything on, to show every switch. Take out what your runbooks do not use before
// you deploy: each line of integrations is a role, and a deployment takes none away (docs/operations.md, "Parameters").
using 'main.bicep'

param environmentName = 'prod'
param location = 'westeurope'
param tags = { owner: 'ml-platform', costCentre: 'operations' }
param publicUrl = 'https://runbooks.example.com'

param people = {
  secretOperators: ['00000000-0000-0000-0000-0000000000a1']
  runbookPublishers: ['00000000-0000-0000-0000-0000000000a2']
  auditors: ['00000000-0000-0000-0000-0000000000a3']
  admins: ['00000000-0000-0000-0000-0000000000a4']
  operators: ['00000000-0000-0000-0000-0000000000a5']
  viewers: ['00000000-0000-0000-0000-0000000000a6']
}

param channels = {
  slack: { channel: 'C012AB3CD' }
  teams: true
  pagerDuty: true
  webhook: true
  onCall: {
    pagerDuty: { url: 'https://api.pagerduty.com' }
    grafana: { url: 'https://oncall-prod-us-central-0.grafana.net/oncall', stackUrl: 'https://example.grafana.net' }
  }
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
    hangedGpu: { prometheusWorkspaceId: '${shared}/Microsoft.Monitor/accounts/amw-prod' }
    gpuNodeFault: { prometheusWorkspaceId: '${shared}/Microsoft.Monitor/accounts/amw-prod' }
    queueOverload: { prometheusWorkspaceId: '${shared}/Microsoft.Monitor/accounts/amw-prod' }
    certificateExpiring: { prometheusWorkspaceId: '${shared}/Microsoft.Monitor/accounts/amw-prod' }
    rateLimited: {
      apiManagementId: '${edge}/Microsoft.ApiManagement/service/apim-prod'
      api: 'chat'
      pool: 'llm'
      backend: 'openai-paygo'
      provider: 'openai'
      spillOver: 'paygo'
    }
    throughputUsedUp: {
      accountId: '${inference}/Microsoft.CognitiveServices/accounts/oai-prod'
      deployment: 'gpt-4o-ptu'
      spillOver: 'gpt-4o-paygo'
      provider: 'openai'
    }
    providerOutage: {
      applicationInsightsId: '${shared}/Microsoft.Insights/components/appi-chat-prod'
      provider: 'openai'
      host: 'oai-prod.openai.azure.com'
    }
    toxicLoop: {
      applicationInsightsId: '${shared}/Microsoft.Insights/components/appi-chat-prod'
      workspace: '00000000-0000-0000-0000-0000000000e1'
      service: 'chat'
      wafPolicyId: '${edge}/Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies/waf-agw-prod'
      apiManagementId: '${edge}/Microsoft.ApiManagement/service/apim-prod'
      accountId: '${inference}/Microsoft.CognitiveServices/accounts/oai-prod'
      deployment: 'gpt-4o-ptu'
      blocklist: 'incidents'
    }
    highLatencyReroute: {
      gatewayId: '${edge}/Microsoft.Network/applicationGateways/agw-westeurope'
      applicationInsightsId: '${shared}/Microsoft.Insights/components/appi-chat-prod'
      workspace: '00000000-0000-0000-0000-0000000000e1'
      trafficManagerId: '${edge}/Microsoft.Network/trafficManagerProfiles/tm-prod'
      service: 'chat'
      from: 'westeurope'
      to: 'northeurope'
    }
    diskFull: {
      workspaceId: '${shared}/Microsoft.OperationalInsights/workspaces/log-prod'
      folder: '/tmp'
    }
  }
}

param signInClientId = '00000000-0000-0000-0000-0000000000c1'

param integrations = {
  kubernetes: [
    { id: '${inference}/Microsoft.ContainerService/managedClusters/aks-a', namespaces: ['inference'] }
    {
      id: '${inference}/Microsoft.ContainerService/managedClusters/aks-b'
      namespaces: ['inference']
      deployments: ['chat']
      nodes: true
    }
  ]
  nodeScaleSets: ['${subscription}/resourceGroups/MC_rg-inference_aks-b_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-gpu-24815391-vmss']
  appConfiguration: ['${shared}/Microsoft.AppConfiguration/configurationStores/appcs-chat-prod']
  frontDoorWaf: ['${edge}/Microsoft.Network/frontDoorWebApplicationFirewallPolicies/wafprod']
  applicationGatewayWaf: ['${edge}/Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies/waf-agw-prod']
  apiManagement: ['${edge}/Microsoft.ApiManagement/service/apim-prod']
  openAi: ['${inference}/Microsoft.CognitiveServices/accounts/oai-prod']
  machineLearning: ['${inference}/Microsoft.MachineLearningServices/workspaces/ml-prod']
  machineLearningIdentities: ['${inference}/Microsoft.ManagedIdentity/userAssignedIdentities/id-chat']
  trafficManager: ['${edge}/Microsoft.Network/trafficManagerProfiles/tm-prod']
  frontDoorOrigins: ['${edge}/Microsoft.Cdn/profiles/afd-prod']
  virtualMachines: ['${inference}/Microsoft.Compute/virtualMachines/vm-batch-1']
  webApps: ['${inference}/Microsoft.Web/sites/app-search']
  containerApps: ['${inference}/Microsoft.App/containerApps/ca-ranker']
  metrics: [
    '${edge}/Microsoft.Network/applicationGateways/agw-westeurope'
    '${shared}/Microsoft.Insights/components/appi-chat-prod'
  ]
  logs: ['${shared}/Microsoft.OperationalInsights/workspaces/log-prod']
  prometheus: ['${shared}/Microsoft.Monitor/accounts/amw-prod']
  closeAlerts: true
}

param connections = {
  kubernetes: [
    { name: 'b', resourceId: '${inference}/Microsoft.ContainerService/managedClusters/aks-b' }
    { name: 'a', resourceId: '${inference}/Microsoft.ContainerService/managedClusters/aks-a' }
    {
      name: 'batch'
      server: 'https://aks-batch-1a2b3c4d.hcp.westeurope.azmk8s.io'
      certificateAuthority: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t'
    }
    {
      name: 'onpremises'
      server: 'https://k8s.example.com:6443'
      certificateAuthority: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t'
      token: true
    }
  ]
  prometheus: [
    { name: 'inference', url: 'https://prometheus.example.com', token: true, ui: 'https://grafana.example.com/explore' }
    { name: 'managed', url: 'https://amw-prod-a1b2.westeurope.prometheus.monitor.azure.com', azureIdentity: true, every: '00:00:30' }
  ]
  llmProviders: [
    {
      name: 'openai'
      url: 'https://oai-prod.openai.azure.com/openai/v1'
      key: true
      keyHeader: 'api-key'
      model: 'gpt-4o-ptu'
      statusPage: 'https://status.openai.com'
    }
    {
      name: 'paygo'
      url: 'https://oai-paygo.openai.azure.com/openai/v1'
      key: true
      keyHeader: 'api-key'
      model: 'gpt-4o'
    }
    // provider-outage falls back to this one.
    { name: 'local', url: 'https://models.example.com/v1', query: 'route=local', model: 'llama-3.1-8b' }
  ]
  liteLlm: [{ name: 'gateway', url: 'https://litellm.example.com' }]
  tickets: [
    { name: 'itsm', kind: 'ServiceNow', url: 'https://example.service-now.com', user: 'runbooks', type: 'incident', closedState: '6', closeCode: 'Solution provided' }
    { name: 'ops', kind: 'Jira', url: 'https://example.atlassian.net', user: 'runbooks@example.com', project: 'OPS' }
  ]
  appConfiguration: [{ name: 'chat', endpoint: 'https://appcs-chat-prod.azconfig.io' }]
}

param scale = { alwaysReady: 1, maximum: 40, memoryMB: 2048 }
param storageSku = 'Standard_ZRS'
param privateNetwork = true
param retention = { logs: 90, incidents: 365, evidence: 400, deleted: 30 }
// startDate: the month of the first deployment, for good. Azure makes no budget that begins earlier.
param budget = { amount: 300, contactEmails: ['platform-lead@example.com'], startDate: '2026-12-01' }
param monitorApp = {
  clientId: '00000000-0000-0000-0000-0000000000c2'
  allowedUsers: ['oncall@example.com']
}
