// A metric alert that names its runbook. Reuse it for your own rules; what is in properties arrives as customProperties.

param name string
param summary string
@description('Resource whose metric is watched.')
param scopeId string
param metricNamespace string
param metricName string
param timeAggregation 'Average' | 'Count' | 'Maximum' | 'Minimum' | 'Total'
param operator 'GreaterThan' | 'GreaterThanOrEqual' | 'LessThan' | 'LessThanOrEqual'
param threshold int
@description('Dimensions to split by: each becomes a label of the alert, and a target of its own. Without any the rule is one alert, and while that is fired no other target fires.')
param splitBy string[] = []
@description('Dimensions with the one value that counts: { BackendResponseCode: \'429\' }. Each becomes a label too.')
param only object = {}
@minValue(0)
@maxValue(4)
param severity int = 2
param window string = 'PT5M'
param every string = 'PT1M'
@description('Id of the runbook to run; empty: matched by the rule\'s name.')
param runbook string
param properties object = {}
param actionGroupId string
param tags object = {}

resource rule 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    description: summary
    severity: severity
    enabled: true
    scopes: [scopeId]
    evaluationFrequency: every
    windowSize: window
    // Resolved alerts reach the incident too: it closes as recovered, or counts them as evidence.
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'condition'
          metricNamespace: metricNamespace
          metricName: metricName
          timeAggregation: timeAggregation
          operator: operator
          threshold: threshold
          dimensions: concat(
            map(splitBy, dimension => { name: dimension, operator: 'Include', values: ['*'] }),
            map(items(only), one => { name: one.key, operator: 'Include', values: [one.value] })
          )
        }
      ]
    }
    actions: [
      { actionGroupId: actionGroupId, webHookProperties: union(empty(runbook) ? {} : { runbook: runbook }, properties) }
    ]
  }
}

output id string = rule.id
