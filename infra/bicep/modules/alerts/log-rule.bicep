// A log query alert that names its runbook. Reuse it for your own rules.

param name string
param summary string
@description('Workspace or Application Insights component that the query runs in.')
param scopeId string
@description('KQL. With measure given, one row per target with that number; without it, rows are counted.')
param query string
param measure string = ''
param timeAggregation 'Average' | 'Count' | 'Maximum' | 'Minimum' | 'Total' = 'Count'
param operator 'GreaterThan' | 'GreaterThanOrEqual' | 'LessThan' | 'LessThanOrEqual' | 'Equals' = 'GreaterThan'
param threshold int = 0
@description('Columns to split by: each becomes a label of the alert, and a target of its own. Without any the rule is one alert, and while that is fired no other target fires.')
param splitBy string[] = []
@minValue(0)
@maxValue(4)
param severity int = 2
param window string = 'PT5M'
param every string = 'PT5M'
@description('Id of the runbook to run; empty: matched by the rule\'s name.')
param runbook string = ''
param properties object = {}
param actionGroupId string
param location string
param tags object = {}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: name
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: name
    description: summary
    severity: severity
    enabled: true
    scopes: [scopeId]
    evaluationFrequency: every
    windowSize: window
    autoMitigate: true
    // Azure would ask the workspace as it is now, and a table is made when the first row for it comes.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: query
          metricMeasureColumn: empty(measure) ? null : measure
          timeAggregation: timeAggregation
          operator: operator
          threshold: threshold
          dimensions: [for column in splitBy: { name: column, operator: 'Include', values: ['*'] }]
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: {
      actionGroups: [actionGroupId]
      customProperties: union(empty(runbook) ? {} : { runbook: runbook }, properties)
    }
  }
}

output id string = rule.id
