// Example rules, one for each shipped runbook that an alert rule starts. Thresholds are a start, not advice: measure yours.
// What a runbook asks of its alert (its labels) comes from columns that are split by, and from properties.

import { exampleRules } from 'example-types.bicep'
import { place } from '../../types.bicep'

param wanted exampleRules
param actionGroupId string
param where place

module hangedGpu 'prometheus-rules.bicep' = if (wanted.?hangedGpu != null) {
  name: 'alerts-hanged-gpu'
  params: {
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
    name: 'runbooks-inference'
    workspaceId: wanted.hangedGpu!.prometheusWorkspaceId
    alerts: [
      {
        alert: 'InferenceRequestsStuck'
        // Requests run or wait and no token comes: per pod, so that each pod is its own incident. A server of embeddings
        // generates none and reads them all the same.
        expression: '(sum by (cluster, namespace, pod) (vllm:num_requests_running + vllm:num_requests_waiting) > 0) and (sum by (cluster, namespace, pod) (rate(vllm:generation_tokens_total[5m]) + rate(vllm:prompt_tokens_total[5m])) == 0)'
        lasting: 'PT2M'
        severity: 1
        runbook: 'hanged-gpu'
        summary: 'Requests are accepted but never return.'
      }
    ]
  }
}

// What gpu.health calls fatal. The exporter tells a GPU's last XID until the GPU is started anew: were a program's error enough,
// the alert would stay fired by it, and the fault that comes after it would be no new alert.
var fatalXids = [46, 48, 62, 64, 74, 79, 95, 109, 110, 119, 120, 136, 140, 143, 151, 154, 155, 156, 158, 171, 172]

module gpuNodeFault 'prometheus-rules.bicep' = if (wanted.?gpuNodeFault != null) {
  name: 'alerts-gpu-node-fault'
  params: {
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
    name: 'runbooks-gpu-nodes'
    workspaceId: wanted.gpuNodeFault!.prometheusWorkspaceId
    alerts: [
      {
        alert: 'GpuNodeFault'
        // Newer exporters write the label hostname with a small letter.
        expression: 'max by (cluster, node) (label_replace(label_replace(${join(map(fatalXids, xid => 'DCGM_FI_DEV_XID_ERRORS == ${xid}'), ' or ')}, "node", "$1", "Hostname", "(.+)"), "node", "$1", "hostname", "(.+)"))'
        lasting: 'PT1M'
        severity: 1
        runbook: 'gpu-node-fault'
        summary: 'A GPU reports a fatal error.'
      }
    ]
  }
}

module queueOverload 'prometheus-rules.bicep' = if (wanted.?queueOverload != null) {
  name: 'alerts-queue-overload'
  params: {
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
    name: 'runbooks-queues'
    workspaceId: wanted.queueOverload!.prometheusWorkspaceId
    alerts: [
      {
        alert: 'LlmQueueTooLong'
        // The pods of a deployment carry its name, and two endings that Kubernetes makes.
        expression: 'max by (cluster, namespace, deployment) (label_replace(vllm:num_requests_waiting, "deployment", "$1", "pod", "(.+)-[a-z0-9]+-[a-z0-9]{5}")) > 20'
        lasting: 'PT5M'
        severity: 2
        runbook: 'queue-overload'
        summary: 'Requests wait in line for too long.'
      }
    ]
  }
}

module certificateExpiring 'prometheus-rules.bicep' = if (wanted.?certificateExpiring != null) {
  name: 'alerts-certificate-expiring'
  params: {
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
    name: 'runbooks-certificates'
    workspaceId: wanted.certificateExpiring!.prometheusWorkspaceId
    alerts: [
      {
        alert: 'CertificateExpiring'
        // What blackbox exporter probes; instance is the server. It tells nothing of a certificate that it trusts no more, unless its module has
        // tls_config.insecure_skip_verify: true, so what it told last counts for a day. An alert is sent once, so the last days have one of their own.
        expression: '(min by (instance) (last_over_time(probe_ssl_earliest_cert_expiry[1d])) - time()) / 86400 < 21'
        lasting: 'PT10M'
        severity: 3
        runbook: 'certificate-expiring'
        summary: 'A certificate expires in less than three weeks.'
      }
      {
        alert: 'CertificateExpiringInDays'
        expression: '(min by (instance) (last_over_time(probe_ssl_earliest_cert_expiry[1d])) - time()) / 86400 < 3'
        lasting: 'PT10M'
        severity: 2
        runbook: 'certificate-expiring'
        summary: 'A certificate expires in less than three days.'
      }
      {
        alert: 'CertificateExpired'
        expression: 'min by (instance) (last_over_time(probe_ssl_earliest_cert_expiry[1d])) - time() <= 0'
        lasting: 'PT1M'
        severity: 1
        runbook: 'certificate-expired'
        summary: 'A certificate has expired.'
      }
    ]
  }
}

module rateLimited 'metric-rule.bicep' = if (wanted.?rateLimited != null) {
  name: 'alerts-rate-limited'
  params: {
    name: 'LlmRateLimited'
    summary: 'The primary deployment answers 429.'
    scopeId: wanted.rateLimited!.apiManagementId
    metricNamespace: 'Microsoft.ApiManagement/service'
    metricName: 'Requests'
    timeAggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 20
    only: { BackendResponseCode: '429', ApiId: wanted.rateLimited!.api }
    severity: 2
    runbook: 'rate-limited'
    properties: {
      provider: wanted.rateLimited!.provider
      spillOver: wanted.rateLimited!.spillOver
      apim: wanted.rateLimited!.apiManagementId
      api: wanted.rateLimited!.api
      pool: wanted.rateLimited!.pool
      backend: wanted.rateLimited!.backend
    }
    actionGroupId: actionGroupId
    tags: where.tags
  }
}

module throughputUsedUp 'metric-rule.bicep' = if (wanted.?throughputUsedUp != null) {
  name: 'alerts-throughput-used-up'
  params: {
    name: 'LlmThroughputUsedUp'
    summary: 'A deployment with provisioned throughput answers 429.'
    scopeId: wanted.throughputUsedUp!.accountId
    metricNamespace: 'Microsoft.CognitiveServices/accounts'
    metricName: 'AzureOpenAIRequests'
    timeAggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 20
    only: { ModelDeploymentName: wanted.throughputUsedUp!.deployment, StatusCode: '429' }
    severity: 2
    runbook: 'throughput-used-up'
    properties: {
      provider: wanted.throughputUsedUp!.provider
      account: wanted.throughputUsedUp!.accountId
      deployment: wanted.throughputUsedUp!.deployment
      spillOver: wanted.throughputUsedUp!.spillOver
    }
    actionGroupId: actionGroupId
    tags: where.tags
  }
}

module providerOutage 'log-rule.bicep' = if (wanted.?providerOutage != null) {
  name: 'alerts-provider-outage'
  params: {
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
    name: 'LlmProviderErrors'
    summary: 'The LLM provider answers 429 or 5xx to more than half of the calls.'
    scopeId: wanted.providerOutage!.applicationInsightsId
    query: replace('''
      dependencies
      | where type == "HTTP" and target has "HOST"
      | summarize failed = 100.0 * countif(resultCode in ("429", "500", "502", "503", "504")) / count(), calls = count()
      | where calls >= 20
    ''', 'HOST', wanted.providerOutage!.host)
    measure: 'failed'
    timeAggregation: 'Average'
    threshold: 50
    severity: 1
    runbook: 'provider-outage'
    properties: { provider: wanted.providerOutage!.provider }
  }
}

module toxicLoop 'log-rule.bicep' = if (wanted.?toxicLoop != null) {
  name: 'alerts-toxic-loop'
  params: {
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
    name: 'ToxicPromptLoop'
    summary: 'One user sends prompts with the same signature again and again.'
    scopeId: wanted.toxicLoop!.applicationInsightsId
    query: '''
      customEvents
      | where name == "PromptFlagged"
      | summarize flagged = count() by user = user_Id, signature = tostring(customDimensions.signature), subscriptionName = tostring(customDimensions.subscription)
    '''
    measure: 'flagged'
    timeAggregation: 'Total'
    threshold: 20
    splitBy: ['user', 'signature', 'subscriptionName']
    severity: 1
    runbook: 'toxic-loop'
    properties: {
      service: wanted.toxicLoop!.service
      workspace: wanted.toxicLoop!.workspace
      policy: wanted.toxicLoop!.wafPolicyId
      apim: wanted.toxicLoop!.apiManagementId
      account: wanted.toxicLoop!.accountId
      deployment: wanted.toxicLoop!.deployment
      blocklist: wanted.toxicLoop!.blocklist
    }
  }
}

module highLatency 'metric-rule.bicep' = if (wanted.?highLatencyReroute != null) {
  name: 'alerts-high-latency'
  params: {
    name: 'HighLatency_Region_${wanted.highLatencyReroute!.from}'
    summary: 'One region answers slowly.'
    // The gateway's own times count the whole of an answer that is generated: they are long on a good day, and the alert would
    // stay fired. An availability test asks for the same on every day.
    scopeId: wanted.highLatencyReroute!.applicationInsightsId
    metricNamespace: 'Microsoft.Insights/components'
    metricName: 'availabilityResults/duration'
    timeAggregation: 'Average'
    operator: 'GreaterThan'
    threshold: 1500
    only: { 'availabilityResult/name': wanted.highLatencyReroute!.from }
    severity: 1
    runbook: 'high-latency-reroute'
    properties: {
      service: wanted.highLatencyReroute!.service
      from: wanted.highLatencyReroute!.from
      to: wanted.highLatencyReroute!.to
      profile: wanted.highLatencyReroute!.trafficManagerId
      gateway: wanted.highLatencyReroute!.gatewayId
      component: wanted.highLatencyReroute!.applicationInsightsId
      workspace: wanted.highLatencyReroute!.workspace
    }
    actionGroupId: actionGroupId
    tags: where.tags
  }
}

module diskFull 'log-rule.bicep' = if (wanted.?diskFull != null) {
  name: 'alerts-disk-full'
  params: {
    actionGroupId: actionGroupId
    location: where.location
    tags: where.tags
    name: 'DiskAlmostFull'
    summary: 'The disk that holds temporary files has less than a tenth of its space left.'
    scopeId: wanted.diskFull!.workspaceId
    // Of other disks the runbook can tell nothing: it looks at that folder's, and tidies that.
    query: replace('''
      union isfuzzy=true (datatable(TimeGenerated: datetime, Namespace: string, Name: string, Tags: string, Val: real, _ResourceId: string)[]), InsightsMetrics
      | where Namespace == "LogicalDisk" and Name == "FreeSpacePercentage"
      | extend disk = tostring(parse_json(Tags)["vm.azm.ms/mountId"])
      | where disk == "MOUNT"
      | summarize free = min(Val) by vm = _ResourceId, disk
    ''', 'MOUNT', wanted.diskFull!.?mount ?? '/')
    measure: 'free'
    timeAggregation: 'Minimum'
    operator: 'LessThan'
    threshold: 10
    splitBy: ['vm', 'disk']
    severity: 3
    runbook: 'disk-full'
    properties: { folder: wanted.diskFull!.folder }
  }
}
