// Optional: one virtual network with a subnet for each app's outgoing calls and one for the private endpoints.
// The app stays reachable from outside: Azure Monitor and the people who decide come from there.

import { place } from '../types.bicep'

param name string
param addressPrefix string
param where place

resource closed 'Microsoft.Network/networkSecurityGroups@2025-01-01' = {
  name: '${name}-endpoints-nsg'
  location: where.location
  tags: where.tags
  properties: {
    securityRules: [
      {
        name: 'only-from-this-network'
        properties: {
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-01-01' = {
  name: name
  location: where.location
  tags: where.tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          // Flex Consumption runs on this platform, and shares the subnet with nothing else.
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
          networkSecurityGroup: { id: closed.id }
        }
      }
      {
        name: 'monitor'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 2)
          delegations: [{ name: 'web', properties: { serviceName: 'Microsoft.Web/serverFarms' } }]
        }
      }
    ]
  }
}

output id string = network.id
output appSubnetId string = resourceId('Microsoft.Network/virtualNetworks/subnets', name, 'app')
output monitorSubnetId string = resourceId('Microsoft.Network/virtualNetworks/subnets', name, 'monitor')
output endpointSubnetId string = resourceId('Microsoft.Network/virtualNetworks/subnets', name, 'endpoints')
