// Storage, vault and flags answer only inside the network.

import { place } from '../types.bicep'

param prefix string
param networkId string
param subnetId string
param storageId string
param vaultId string
param configurationId string
param where place

var suffix = environment().suffixes.storage
var targets = [
  { name: 'blob', id: storageId, group: 'blob', zone: 'privatelink.blob.${suffix}' }
  { name: 'queue', id: storageId, group: 'queue', zone: 'privatelink.queue.${suffix}' }
  { name: 'table', id: storageId, group: 'table', zone: 'privatelink.table.${suffix}' }
  { name: 'vault', id: vaultId, group: 'vault', zone: 'privatelink.vaultcore.azure.net' }
  { name: 'flags', id: configurationId, group: 'configurationStores', zone: 'privatelink.azconfig.io' }
]

module endpoints 'private-endpoint.bicep' = [for target in targets: {
  name: 'endpoint-${target.name}'
  params: {
    name: '${prefix}-${target.name}'
    targetId: target.id
    groupId: target.group
    zoneName: target.zone
    networkId: networkId
    subnetId: subnetId
    where: where
  }
}]
