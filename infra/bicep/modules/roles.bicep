// Every built-in role this system ever hands out, in one place, so that a reviewer reads one list.
// The ids are the same in every tenant.

@export()
var roles = {
  // The app's own storage, secrets and telemetry.
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  storageQueueDataReader: '19e7f393-937e-4f77-808e-94535e297925'
  storageTableDataReader: '76199698-9eea-4c19-bc75-cec21354c6b6'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  durableTaskDataContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
  appConfigurationDataOwner: '5ae67dd6-50cb-40e7-96ff-dc2bfa4b606b'

  // Reading what a diagnosis needs.
  monitoringReader: '43d0d8ad-25c7-4714-9337-8ba259a9fe05'
  monitoringDataReader: 'b0d8363b-8ddd-447d-831f-62ca05bff136'
  logAnalyticsReader: '73c42c96-874c-492b-b04d-ab87d138a893'

  // Acting on other people's resources, used where the narrower roles of custom-roles.bicep may not be made.
  aksClusterUser: '4abbcc35-e782-43d8-92c5-2d3f1bd2253f'
  aksRbacReader: '7f6c6a51-bcf8-42ba-9220-52d62157d7db'
  aksRbacWriter: 'a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb'
  aksRbacClusterAdmin: 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b'
  networkContributor: '4d97b98b-1d4f-4787-a291-c67834d212e7'
  apiManagementServiceContributor: '312a565d-c81f-4fd8-895a-4e21e48d571c'
  cognitiveServicesContributor: '25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68'
  managedIdentityOperator: 'f1a07417-d97a-45cb-824c-7a7467783830'
  azureMlDataScientist: 'f6c7c914-8db3-469d-8ca1-694a8f32e121'
  trafficManagerContributor: 'a4b10055-b0c7-44c2-b00f-c7b5b3550cf7'
  cdnProfileContributor: 'ec156ff8-a8d1-4d15-830c-5b80698ca432'
  virtualMachineContributor: '9980e02c-c2be-4d73-94e8-173b1dc7cf3c'
  contributor: 'b24988ac-6180-42a0-ab88-20f7382dd24c'
  websiteContributor: 'de139f84-1756-47ae-9be6-808fbbe84772'
  monitoringContributor: '749f88d5-cbae-40b8-bcfc-e573ddc772fa'
}
