// A small, cheap system to try runbooks on: public endpoints, local redundancy, one integration.
using 'main.bicep'

param environmentName = 'dev'
param location = 'westeurope'
param tags = { owner: 'ml-platform', costCentre: 'development' }

// Whoever deploys: az ad signed-in-user show --query id -o tsv
param people = {
  secretOperators: ['00000000-0000-0000-0000-0000000000d1']
  runbookPublishers: ['00000000-0000-0000-0000-0000000000d1']
}

param channels = { teams: true }
param alerting = {
  functionReceiver: false
  contactEmails: ['ml-platform@example.com']
  examples: {}
}

// Only pods in one namespace: this app holds no WAF, traffic or key role at all.
param integrations = {
  kubernetes: [
    {
      id: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-inference/providers/Microsoft.ContainerService/managedClusters/aks-dev'
      namespaces: ['inference']
    }
  ]
}

param connections = {
  kubernetes: [{ name: 'dev', resourceId: integrations.kubernetes[0].id }]
}

// No always-ready instance: the first alert after a quiet while waits some seconds, and nothing is paid for meanwhile.
param scale = { alwaysReady: 0, maximum: 10, memoryMB: 2048 }
param retention = { logs: 30, incidents: 14, evidence: 30, deleted: 7 }
// startDate: the month of the first deployment, for good. Azure makes no budget that begins earlier.
param budget = { amount: 50, contactEmails: ['ml-platform@example.com'], startDate: '2026-12-01' }
