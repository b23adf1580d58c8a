// Where the built-in role for a job also opens other doors, a role with just that job.
// Making role definitions needs Owner or User Access Administrator on the subscription; without it set customRoles to false
// and the built-in roles in integrations.bicep are used.

targetScope = 'subscription'

@export()
func narrowRoleName(environmentName string, key string) string => guid(subscription().id, 'runbooks', environmentName, key)

@description('Keeps the names unique in the tenant, where role names must be.')
param environmentName string
@description('Subscriptions in which the roles may be assigned.')
param subscriptionIds string[]

var definitions = {
  podRecycler: {
    title: 'recycle pods'
    actions: []
    // No exec, which a wildcard would hold too. An eviction asks to write pods. That also lets a pod be made, and a pod may
    // mount any secret of its namespace: a namespace is as closed as its secrets may be.
    dataActions: [
      'Microsoft.ContainerService/managedClusters/pods/read'
      'Microsoft.ContainerService/managedClusters/pods/write'
      'Microsoft.ContainerService/managedClusters/pods/delete'
    ]
  }
  clusterReader: {
    title: 'look at pods, deployments and nodes'
    actions: []
    // Azure's own reader may read no nodes.
    dataActions: [
      'Microsoft.ContainerService/managedClusters/pods/read'
      'Microsoft.ContainerService/managedClusters/apps/deployments/read'
      'Microsoft.ContainerService/managedClusters/nodes/read'
      'Microsoft.ContainerService/managedClusters/coordination.k8s.io/leases/read'
    ]
  }
  // AKS asks for the resource alone, not for a part of it: scaling is a write of the deployment, an eviction one of the pod
  // (github.com/kubeguard/guard, authz/providers/azure/rbac/checkaccessreqhelper.go).
  deployments: {
    title: 'restart and scale deployments'
    actions: []
    dataActions: [
      'Microsoft.ContainerService/managedClusters/apps/deployments/read'
      'Microsoft.ContainerService/managedClusters/apps/deployments/write'
      'Microsoft.ContainerService/managedClusters/autoscaling/horizontalpodautoscalers/read'
    ]
  }
  nodes: {
    title: 'cordon, taint and drain nodes'
    actions: []
    dataActions: [
      'Microsoft.ContainerService/managedClusters/nodes/read'
      'Microsoft.ContainerService/managedClusters/nodes/write'
      // A node's lease says within seconds whether it is alive.
      'Microsoft.ContainerService/managedClusters/coordination.k8s.io/leases/read'
      'Microsoft.ContainerService/managedClusters/pods/read'
      'Microsoft.ContainerService/managedClusters/pods/write'
    ]
  }
  reimageNodes: {
    title: 'reimage the machines of nodes'
    actions: [
      'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read'
      'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/reimage/action'
    ]
    dataActions: []
  }
  frontDoorWaf: {
    title: 'edit a Front Door WAF policy'
    actions: [
      'Microsoft.Network/frontDoorWebApplicationFirewallPolicies/read'
      'Microsoft.Network/frontDoorWebApplicationFirewallPolicies/write'
    ]
    dataActions: []
  }
  applicationGatewayWaf: {
    title: 'edit an Application Gateway WAF policy'
    actions: [
      'Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/read'
      'Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/write'
    ]
    dataActions: []
  }
  apiManagement: {
    title: 'suspend an API Management subscription and weigh backends'
    actions: [
      'Microsoft.ApiManagement/service/subscriptions/read'
      'Microsoft.ApiManagement/service/subscriptions/write'
      'Microsoft.ApiManagement/service/backends/read'
      'Microsoft.ApiManagement/service/backends/write'
      // Whether fewer requests are turned away is a metric of the service.
      'Microsoft.Insights/metrics/read'
    ]
    dataActions: []
  }
  openAi: {
    title: 'regenerate a key of an AI account, spill over, and block prompts'
    actions: [
      'Microsoft.CognitiveServices/accounts/read'
      'Microsoft.CognitiveServices/accounts/regenerateKey/action'
      'Microsoft.CognitiveServices/accounts/deployments/read'
      'Microsoft.CognitiveServices/accounts/deployments/write'
      'Microsoft.CognitiveServices/accounts/raiPolicies/read'
      'Microsoft.CognitiveServices/accounts/raiBlocklists/read'
      'Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems/read'
      'Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems/write'
      'Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems/delete'
      // Whether throughput is used up is a metric of the account.
      'Microsoft.Insights/metrics/read'
    ]
    dataActions: []
  }
  machineLearning: {
    title: 'split the traffic of online endpoints'
    actions: [
      'Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read'
      'Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write'
      'Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/read'
    ]
    dataActions: []
  }
  frontDoorOrigins: {
    title: 'weigh and switch Front Door origins'
    actions: [
      'Microsoft.Cdn/profiles/read'
      'Microsoft.Cdn/profiles/origingroups/read'
      'Microsoft.Cdn/profiles/origingroups/origins/read'
      'Microsoft.Cdn/profiles/origingroups/origins/write'
      // Whether the origins are healthy is a metric of the profile.
      'Microsoft.Insights/metrics/read'
    ]
    dataActions: []
  }
  runCommand: {
    title: 'run a command on a virtual machine'
    actions: ['Microsoft.Compute/virtualMachines/read', 'Microsoft.Compute/virtualMachines/runCommand/action']
    dataActions: []
  }
  webApps: {
    title: 'restart a web app'
    actions: ['Microsoft.Web/sites/read', 'Microsoft.Web/sites/restart/action']
    dataActions: []
  }
  containerApps: {
    title: 'restart a Container App revision'
    actions: [
      'Microsoft.App/containerApps/read'
      'Microsoft.App/containerApps/revisions/read'
      'Microsoft.App/containerApps/revisions/restart/action'
    ]
    dataActions: []
  }
  // How a long-running change has ended. Azure keeps that below the subscription or the resource group and not below the
  // resource, so this one role is assigned at the subscription; it reads nothing else there.
  followOperations: {
    title: 'follow operations'
    actions: [
      'Microsoft.Compute/locations/operations/read'
      'Microsoft.Network/locations/operations/read'
      'Microsoft.Network/frontdooroperationresults/read'
      // Azure-AsyncOperation names the first, Location the second.
      'Microsoft.Cdn/operationresults/read'
      'Microsoft.Cdn/operationresults/profileresults/origingroupresults/originresults/read'
      'Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read'
      'Microsoft.MachineLearningServices/locations/mfeOperationResults/read'
      'Microsoft.CognitiveServices/locations/operationresults/read'
    ]
    dataActions: []
  }
  closeAlerts: {
    title: 'acknowledge and close alerts'
    actions: ['Microsoft.AlertsManagement/alerts/read', 'Microsoft.AlertsManagement/alerts/changestate/action']
    dataActions: []
  }
}

resource customRoles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in items(definitions): {
  name: narrowRoleName(environmentName, role.key)
  properties: {
    roleName: 'Runbooks ${environmentName}: ${role.value.title}'
    description: 'Just enough for a runbook to ${role.value.title}.'
    type: 'CustomRole'
    assignableScopes: map(subscriptionIds, id => '/subscriptions/${id}')
    permissions: [{ actions: role.value.actions, notActions: [], dataActions: role.value.dataActions, notDataActions: [] }]
  }
}]
