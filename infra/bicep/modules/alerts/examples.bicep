// Example rules for the five shipped runbooks, one of each kind. Thresholds are a start, not advice: measure yours.

import { exampleRules, place } from '../../types.bicep'

param wanted exampleRules
param actionGroupId string
param where place

module hangedGpu 'prometheus-rules.bicep' = if (!empty(wanted.?prometheusWorkspaceId)) {
  name: 'alerts-hanged-gpu'
  params: {
    name: 'runbooks-inference'
    workspaceId: wanted.?prometheusWorkspaceId ?? ''
    location: where.location
    tags: where.tags
    actionGroupId: actionGroupId
    alerts: [
      {
        alert: 'InferenceRequestsStuck'
        // Requests come in, none goes out, and the card's memory is full: per pod, so that each pod is its own incident.
        expression: 'sum by (cluster, namespace, pod) (rate(inference_requests_started_total[5m])) > 0 unless sum by (cluster, namespace, pod) (rate(inference_requests_completed_total[5m])) > 0'
        lasting: 'PT2M'
        severity: 1
        runbook: 'hanged-gpu'
        summary: 'Requests are accepted but never return.'
      }
    ]
  }
}

module providerOutage 'log-rule.bicep' = if (!empty(wanted.?applicationInsightsId)) {
  name: 'alerts-provider-outage'
  params: {
    name: 'LlmProviderUnavailable'
    summary: 'The LLM provider answers 503 or 429 to more than half of the calls.'
    scopeId: wanted.?applicationInsightsId ?? ''
    query: '''
      AppDependencies
      | where Type == "HTTP" and Target has_any ("openai.azure.com", "api.openai.com", "api.anthropic.com")
      | summarize failed = 100.0 * countif(ResultCode in ("429", "500", "502", "503", "504")) / count(), calls = count() by provider = Target
      | where calls >= 20
    '''
    measure: 'failed'
    timeAggregation: 'Average'
    threshold: 50
    splitBy: ['provider']
    severity: 1
    runbook: 'provider-outage'
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
  }
}

module toxicLoop 'log-rule.bicep' = if (!empty(wanted.?applicationInsightsId)) {
  name: 'alerts-toxic-loop'
  params: {
    name: 'ToxicPromptLoop'
    summary: 'One caller sends prompts with the same blocked signature again and again.'
    scopeId: wanted.?applicationInsightsId ?? ''
    query: '''
      AppEvents
      | where Name == "PromptBlocked"
      | summarize blocked = count() by signature = tostring(Properties.signature), subscription = tostring(Properties.subscription)
    '''
    measure: 'blocked'
    timeAggregation: 'Total'
    threshold: 50
    splitBy: ['signature', 'subscription']
    severity: 1
    runbook: 'toxic-loop'
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
  }
}

module highLatency 'metric-rule.bicep' = if (!empty(wanted.?frontDoorProfileId)) {
  name: 'alerts-high-latency'
  params: {
    name: 'HighLatency_FrontDoor'
    summary: 'The origins behind Front Door answer slowly.'
    scopeId: wanted.?frontDoorProfileId ?? ''
    metricNamespace: 'Microsoft.Cdn/profiles'
    metricName: 'OriginLatency'
    timeAggregation: 'Average'
    operator: 'GreaterThan'
    threshold: 2000
    splitBy: ['Origin']
    runbook: 'high-latency-reroute'
    actionGroupId: actionGroupId
    tags: where.tags
  }
}

module diskFull 'log-rule.bicep' = if (!empty(wanted.?machinesWorkspaceId)) {
  name: 'alerts-disk-full'
  params: {
    name: 'DiskAlmostFull'
    summary: 'A disk has less than a tenth of its space left.'
    scopeId: wanted.?machinesWorkspaceId ?? ''
    query: '''
      InsightsMetrics
      | where Namespace == "LogicalDisk" and Name == "FreeSpacePercentage"
      | extend disk = tostring(parse_json(Tags)["vm.azm.ms/mountId"])
      | summarize free = avg(Val) by computer = Computer, disk, vm = _ResourceId
    '''
    measure: 'free'
    timeAggregation: 'Average'
    operator: 'LessThan'
    threshold: 10
    splitBy: ['computer', 'disk', 'vm']
    severity: 3
    runbook: 'disk-full'
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
  }
}
