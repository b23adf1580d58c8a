// Alerts about the system itself. They go to people directly, never through the app they are about.
// A workspace makes a table when the first row for it comes. The first deployment comes before any row, and AppExceptions may
// have none for weeks: a fuzzy union of nothing and the tables passes over those that are not there yet.

import { place } from '../../types.bicep'

param workspaceId string
param peopleId string
param where place

// Names of log events that the app writes; tests/Infra.Tests compares them with the code. The workspace is the system's own,
// so nothing else writes into it.
var known = loadJsonContent('../../../signals.json')

var signals = [
  {
    name: 'runbooks-incident-failed'
    summary: 'An incident ended as failed: its runbook stopped half way. Look at the incident and finish by hand.'
    signal: known.incidentFailed
    severity: 1
  }
  {
    name: 'runbooks-incident-stuck'
    summary: 'The watchdog found an incident without progress, the hub does not answer, or a secret of the settings was not read.'
    signal: known.incidentStuck
    severity: 1
  }
  {
    name: 'runbooks-approval-undelivered'
    summary: 'An approval request reached nobody: somebody is waiting for an answer nobody was asked for.'
    signal: known.approvalUndelivered
    severity: 0
  }
]

module eventAlerts 'log-rule.bicep' = [for signal in signals: {
  name: 'alert-${signal.name}'
  params: {
    name: signal.name
    summary: signal.summary
    scopeId: workspaceId
    // A log line with an exception is a row of AppExceptions and none of AppTraces.
    query: $'''union isfuzzy=true (datatable(TimeGenerated: datetime, Properties: dynamic)[]), AppTraces, AppExceptions
| extend event = tostring(Properties.EventName), state = tostring(Properties.State)
| where ${join(map(signal.signal, of => 'event == "${of.event}"${contains(of, 'state') ? ' and state =~ "${of.state}"' : ''}'), ' or ')}
| extend about = coalesce(tostring(Properties.IncidentId), tostring(Properties.Name), event)'''
    // A rule that is fired fires no more until it is over: each trouble of each incident has to be an alert of its own.
    splitBy: ['event', 'about']
    severity: signal.severity
    actionGroupId: peopleId
    location: where.location
    tags: where.tags
  }
}]

// The watch that watches the watch: silence of the timer is itself the alarm. summarize without "by" always gives a row.
module deadMan 'log-rule.bicep' = {
  name: 'alert-dead-man'
  params: {
    name: 'runbooks-dead-man'
    summary: 'The watchdog has not run for a quarter of an hour: the app is down, cannot write telemetry, or cannot reach its storage account.'
    scopeId: workspaceId
    query: $'''union isfuzzy=true (datatable(TimeGenerated: datetime, Name: string)[]), AppRequests
| where Name == '${known.watchFunction}'
| summarize runs = count()'''
    measure: 'runs'
    timeAggregation: 'Total'
    operator: 'LessThan'
    threshold: 1
    window: 'PT15M'
    severity: 0
    actionGroupId: peopleId
    location: where.location
    tags: where.tags
  }
}

module refusedAlerts 'log-rule.bicep' = {
  name: 'alert-intake-errors'
  params: {
    name: 'runbooks-intake-errors'
    summary: 'Alerts were refused. After a 503 or 504 Azure Monitor tries again for a minute, and then sends nothing for 15 minutes; after any other error they are lost: look in Azure Monitor at what fired, 20 minutes after the end once more.'
    scopeId: workspaceId
    // A key or a role that is wrong shows as one row for each alert, and that alert does not come again. One 503 or 504 does no harm.
    // Rows are sampled: ItemCount says how many requests each stands for.
    query: '''union isfuzzy=true (datatable(TimeGenerated: datetime, Url: string, ResultCode: string, ItemCount: int)[]), AppRequests
| where Url has "/alerts/" and (ResultCode in ("401", "403", "404") or toint(ResultCode) >= 500)
| summarize refused = sum(ItemCount) by answer = ResultCode
| where refused > 2 or answer !in ("503", "504")'''
    measure: 'refused'
    timeAggregation: 'Total'
    splitBy: ['answer']
    severity: 1
    actionGroupId: peopleId
    location: where.location
    tags: where.tags
  }
}
