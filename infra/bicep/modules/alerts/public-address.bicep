// Looks at the address that people's links have, from outside. Nothing inside notices when its name no longer leads here or its
// certificate runs out, and then nobody can approve at night.

import { place } from '../../types.bicep'

param url string
param applicationInsightsId string
param peopleId string
param where place

var name = 'runbooks-public-address'

resource look 'Microsoft.Insights/webtests@2022-06-15' = {
  name: name
  location: where.location
  // By this tag the results go to that Application Insights.
  tags: union(where.tags, { 'hidden-link:${applicationInsightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: name
    SyntheticMonitorId: name
    Description: 'The address in messages, with its name and certificate.'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    // Five, as Azure advises: one that is cut off by itself is not the address's fault.
    Locations: [for id in ['emea-nl-ams-azr', 'emea-gb-db3-azr', 'us-va-ash-azr', 'us-ca-sjc-azr', 'apac-sg-sin-azr']: { Id: id }]
    Request: { RequestUrl: '${url}/healthz', HttpVerb: 'GET', ParseDependentRequests: false, FollowRedirects: false }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      // Days, so that there is time on working days.
      SSLCertRemainingLifetimeCheck: 14
    }
  }
}

resource rule 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: name
  location: 'global'
  tags: where.tags
  properties: {
    description: 'The address in messages does not answer from outside, says that the app is ill, or has a certificate that is over in less than 14 days: links in messages may not open. Alerts come in by another name.'
    severity: 1
    enabled: true
    scopes: [look.id, applicationInsightsId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: look.id
      componentId: applicationInsightsId
      failedLocationCount: 3
    }
    actions: [{ actionGroupId: peopleId }]
  }
}
