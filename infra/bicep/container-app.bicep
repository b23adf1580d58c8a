// The self-hosted program in Container Apps: two processes on one storage account. docs/operations.md, "Several machines",
// says how to make the account, the identity, the image and the container of runbooks. A template, because a command cannot say
// it: the Azure CLI takes arguments of the program that begin with a dash for its own.

@description('The environment of Container Apps, in this resource group.')
param environmentName string
@description('The user-assigned identity, in this resource group.')
param identityName string
@description('The registry that the image is in: name.azurecr.io.')
param registryServer string
param imageTag string
@description('The storage account of the system.')
param accountName string
@description('What links in messages begin with: https://runbooks.example.com.')
param publicUrl string
param location string = resourceGroup().location

resource managed 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: environmentName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource app 'Microsoft.App/containerApps@2025-07-01' = {
  name: 'runbooks'
  location: location
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    environmentId: managed.id
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: { external: true, targetPort: 8080 }
      registries: [{ server: registryServer, identity: identity.id }]
    }
    template: {
      // A number and no rule: the program asks the queues, nothing calls it.
      scale: { minReplicas: 2, maxReplicas: 2 }
      // An activity that runs is told to stop, and what it has done is recorded, before the replica goes.
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'runbooks'
          image: '${registryServer}/runbook:${imageTag}'
          args: [
            'serve', '--storage', 'azure', '--no-practice', '--listen', 'any', '--port', '8080', '--data', '/tmp/runbooks'
            '--runbooks', 'https://${accountName}.blob.${environment().suffixes.storage}/runbooks'
          ]
          env: [
            { name: 'RUNBOOK_Storage__AccountName', value: accountName }
            // The identity is named twice: for the storage account alone, and for every check and action.
            { name: 'RUNBOOK_Storage__ClientId', value: identity.properties.clientId }
            { name: 'RUNBOOK_Azure__ManagedIdentityClientId', value: identity.properties.clientId }
            { name: 'RUNBOOK_Azure__ManagedIdentityOnly', value: 'true' }
            { name: 'RUNBOOK_Runbooks__PublicUrl', value: publicUrl }
            // And the settings of each channel that contacts.yaml names, a secret by its secretRef.
          ]
          resources: { cpu: json('0.5'), memory: '1Gi' }
          // Both ask whether it listens. The account is away for all at once: no reason to start one again, nor to leave all out.
          probes: [
            { type: 'Readiness', httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 10 }
            { type: 'Liveness', tcpSocket: { port: 8080 }, initialDelaySeconds: 30, periodSeconds: 30, failureThreshold: 3 }
          ]
        }
      ]
    }
  }
}

output url string = 'https://${app.properties.configuration.ingress.fqdn}'
