// Alerts on managed Prometheus that name their runbooks. Reuse it for your own rules.

@export()
type prometheusAlert = {
  alert: string
  expression: string
  @description('How long it must hold, e.g. PT2M.')
  lasting: string
  @minValue(0)
  @maxValue(4)
  severity: int
  runbook: string
  labels: object?
  summary: string
}

param name string
@description('Azure Monitor workspace.')
param workspaceId string
param alerts prometheusAlert[]
param actionGroupId string
param location string
param tags object = {}

resource group 'Microsoft.AlertsManagement/prometheusRuleGroups@2023-03-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    enabled: true
    interval: 'PT1M'
    scopes: [workspaceId]
    rules: [for rule in alerts: {
      alert: rule.alert
      enabled: true
      expression: rule.expression
      for: rule.lasting
      severity: rule.severity
      labels: rule.?labels ?? {}
      annotations: { summary: rule.summary }
      resolveConfiguration: { autoResolved: true, timeToResolve: 'PT5M' }
      actions: [{ actionGroupId: actionGroupId, actionProperties: { runbook: rule.runbook } }]
    }]
  }
}
