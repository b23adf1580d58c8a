// Lets the app see how long-running changes in one subscription have ended.

targetScope = 'subscription'

@description('Names the assignment, so that what-if can predict it; the principal id is known only later.')
param identityName string
param principalId string
@description('The narrow role, by its full id.')
param roleDefinitionId string

resource follow 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, identityName, roleDefinitionId)
  properties: {
    roleDefinitionId: roleDefinitionId
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'See how long-running changes have ended'
  }
}
