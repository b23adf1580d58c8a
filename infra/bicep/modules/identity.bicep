// One user-assigned identity for the whole app: it exists before the app, so every role is in place when the app first starts.

import { place } from '../types.bicep'

param name string
param where place

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: where.location
  tags: where.tags
}

output id string = identity.id
output name string = identity.name
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
