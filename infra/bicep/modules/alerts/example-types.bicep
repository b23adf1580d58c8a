// What each example alert rule watches.

@export()
@description('The example alert rules, one for each shipped runbook that an alert rule starts. A rule that is left out is not made. Besides what to watch they hold what the runbook asks of its alert: see its labels.')
type exampleRules = {
  hangedGpu: {
    @description('Azure Monitor workspace that scrapes the inference cluster.')
    prometheusWorkspaceId: string
  }?
  gpuNodeFault: {
    @description('Azure Monitor workspace that scrapes the DCGM exporter of the GPU nodes.')
    prometheusWorkspaceId: string
  }?
  queueOverload: {
    @description('Azure Monitor workspace that scrapes the model servers.')
    prometheusWorkspaceId: string
  }?
  certificateExpiring: {
    @description('Azure Monitor workspace that scrapes blackbox exporter. An alert about a certificate that has expired ends after a day, unless the exporter\'s module has tls_config.insecure_skip_verify: true.')
    prometheusWorkspaceId: string
  }?
  rateLimited: {
    @description('API Management in front of the deployments; the id of the API there that its pool serves, the pool, and the spill-over\'s backend in it.')
    apiManagementId: string
    api: string
    pool: string
    backend: string
    @description('Names of the primary and of the spill-over in connections.llmProviders.')
    provider: string
    spillOver: string
  }?
  throughputUsedUp: {
    @description('Azure OpenAI account; its deployment with provisioned throughput, and the standard one that takes what it turns away.')
    accountId: string
    deployment: string
    spillOver: string
    @description('Name of the deployment in connections.llmProviders.')
    provider: string
  }?
  providerOutage: {
    @description('Application Insights of the application that calls the provider.')
    applicationInsightsId: string
    @description('Name of the provider in connections.llmProviders, and the host that is called.')
    provider: string
    host: string
  }?
  toxicLoop: {
    @description('Application Insights of the application that writes PromptFlagged events, and its workspace\'s id (a GUID).')
    applicationInsightsId: string
    workspace: string
    service: string
    @description('WAF policy in front of the API, of Application Gateway: custom rules of Front Door read no JSON, and the step leaves its policies as they are.')
    wafPolicyId: string
    apiManagementId: string
    @description('Azure OpenAI account, the deployment that serves the users, and the blocklist that its content filter looks at.')
    accountId: string
    deployment: string
    blocklist: string
  }?
  highLatencyReroute: {
    @description('Application Gateway of the region that is slow.')
    gatewayId: string
    @description('Application Insights and its workspace\'s id (a GUID). Three availability tests belong to it: one named as service, through Traffic Manager, and two named as from and to, each at that region\'s own address.')
    applicationInsightsId: string
    workspace: string
    trafficManagerId: string
    service: string
    @description('Traffic Manager endpoints: from the one that is slow, to the other.')
    from: string
    to: string
  }?
  diskFull: {
    @description('Log Analytics workspace with the machines\' disk counters.')
    workspaceId: string
    @description('Folder on the machines whose old files may go.')
    folder: string
    @description('Where the disk of that folder is mounted, as the counters call it; / when left out. The alert is about this disk alone.')
    mount: string?
  }?
}
