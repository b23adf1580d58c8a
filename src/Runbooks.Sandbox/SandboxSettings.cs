namespace Runbooks.Sandbox;

/// <summary>The configuration that points the real integrations at the sandbox; nothing else tells them apart from production.</summary>
public static class SandboxSettings
{
    public static IReadOnlyDictionary<string, string?> For(Uri sandbox)
    {
        var root = sandbox.ToString().TrimEnd('/');
        return new Dictionary<string, string?>
        {
            ["Kubernetes:Default"] = "b",
            ["Kubernetes:Clusters:b:Server"] = $"{root}/kubernetes/b",
            ["Kubernetes:Clusters:b:Token"] = "practice",
            ["Prometheus:Default"] = "practice",
            ["Prometheus:Endpoints:practice:Url"] = $"{root}/prometheus",
            ["Prometheus:Endpoints:practice:Every"] = "00:00:00",
            ["LlmProvider:Default"] = "practice",
            ["LlmProvider:Providers:practice:Url"] = $"{root}/provider/v1",
            ["LlmProvider:Providers:practice:ApiKey"] = "practice",
            ["LlmProvider:Providers:practice:Model"] = "practice-large",
            ["LlmProvider:Providers:local:Url"] = $"{root}/provider/local/v1",
            ["LlmProvider:Providers:local:Model"] = "practice-small",
            ["LlmProvider:Providers:ptu:Url"] = $"{root}/provider/ptu/v1",
            ["LlmProvider:Providers:ptu:ApiKey"] = "practice",
            ["LlmProvider:Providers:ptu:Model"] = "practice-large",
            ["LlmProvider:Providers:paygo:Url"] = $"{root}/provider/paygo/v1",
            ["LlmProvider:Providers:paygo:ApiKey"] = "practice",
            ["LlmProvider:Providers:paygo:Model"] = "practice-large",
            ["LiteLlm:Default"] = "practice",
            ["LiteLlm:Proxies:practice:Url"] = $"{root}/litellm",
            ["LiteLlm:Proxies:practice:ApiKey"] = "practice",
            ["Tickets:Default"] = "servicenow",
            ["Tickets:Systems:servicenow:Kind"] = "ServiceNow",
            ["Tickets:Systems:servicenow:Url"] = $"{root}/servicenow",
            ["Tickets:Systems:servicenow:User"] = "practice",
            ["Tickets:Systems:servicenow:Secret"] = "practice",
            ["Tickets:Systems:jira:Kind"] = "Jira",
            ["Tickets:Systems:jira:Url"] = $"{root}/jira",
            ["Tickets:Systems:jira:User"] = "practice",
            ["Tickets:Systems:jira:Secret"] = "practice",
            ["Tickets:Systems:jira:Project"] = "OPS",
            ["Tickets:Systems:azuredevops:Kind"] = "AzureDevOps",
            ["Tickets:Systems:azuredevops:Url"] = $"{root}/azuredevops",
            ["Tickets:Systems:azuredevops:Secret"] = "practice",
            ["Tickets:Systems:azuredevops:Project"] = "operations",
            ["PagerDuty:ApiUrl"] = $"{root}/pagerduty",
            ["PagerDuty:ApiToken"] = "practice",
            ["GrafanaOnCall:Url"] = $"{root}/grafana-oncall",
            ["GrafanaOnCall:Token"] = "practice",
            ["OnCall:AllowedHosts:0"] = sandbox.Authority,
            ["AppConfiguration:Default"] = "practice",
            ["AppConfiguration:Stores:practice:Endpoint"] = $"{root}/appconfiguration",
            ["Azure:ManagementEndpoint"] = $"{root}/arm",
            ["Azure:LogsEndpoint"] = $"{root}/logs",
            ["Disk:ThisMachine"] = "false",
            ["HttpProbe:AllowedHosts:0"] = sandbox.Authority,
            ["HttpProbe:OwnAuthorityHosts:0"] = sandbox.Authority,
        };
    }
}
