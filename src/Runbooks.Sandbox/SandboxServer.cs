using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Runbooks.Sandbox.Apis;
using Runbooks.Sandbox.Apis.Arm;
using Runbooks.Sandbox.Apis.Exporters;
using Runbooks.Sandbox.Apis.Prometheus;
using Runbooks.Sandbox.Apis.Provider;
using Runbooks.Sandbox.Apis.Tickets;

namespace Runbooks.Sandbox;

/// <summary>
/// A small world to practise on: real HTTP on loopback, with the parts of the APIs that runbooks use, and with state that changes as
/// it would for real. Each API has a file or a folder of its own; see <see cref="SandboxApi"/>.
/// </summary>
public sealed class SandboxServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SandboxServer(WebApplication app, Uri baseAddress)
    {
        _app = app;
        BaseAddress = baseAddress;
    }

    /// <summary>Its address, without a trailing slash: <c>http://127.0.0.1:7072</c>.</summary>
    public Uri BaseAddress { get; }

    /// <exception cref="IOException">The port is taken, or the log cannot be written.</exception>
    public static async Task<SandboxServer> StartAsync(SandboxOptions options, CancellationToken cancellationToken)
    {
        var app = Build(options);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new SandboxServer(app, new Uri(address));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static WebApplication Build(SandboxOptions options)
    {
        // Without the host's configuration: its addresses and log settings from the environment must not count here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, options.Port, listen =>
            {
                var tls = listen.ApplicationServices.GetRequiredService<TlsConnections>();
                listen.Use(http => connection => tls.ServeAsync(connection, http));
            });
            kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        });
        // A request that a fault keeps waiting must not delay the stop.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(options).AddSingleton(options.Time).AddSingleton<FaultRegistry>().AddSingleton<RequestLog>().AddSandboxApis();

        var app = builder.Build();
        app.Services.GetRequiredService<SandboxMemory>().Load();
        app.Use((context, next) => ForeignPages.MayChange(context.Request) ? next(context) : ForeignPages.RefuseAsync(context.Response));
        app.UseMiddleware<FaultMiddleware>();
        app.UseRouting();
        SandboxControl.Map(app);
        foreach (var api in app.Services.GetServices<SandboxApi>())
        {
            api.Map(app.MapGroup("/" + api.Name));
        }

        app.UseEndpoints(_ => { });
        return app;
    }
}

internal static class SandboxServices
{
    public static IServiceCollection AddSandboxApis(this IServiceCollection services)
    {
        services
            .AddSingleton<SandboxChanges>()
            .AddSingleton<SandboxMemory>()
            .AddSingleton<SandboxTroubles>()
            .AddFirstAsked(SimulatedTraffic.Began)
            .AddFirstAsked(Abuse.Began)
            .AddFirstAsked(ProviderApi.Began)
            .AddFirstAsked(ProvisionedThroughput.Began)
            .AddSingleton<ProvisionedThroughput>()
            .AddFirstAsked(EngineTraffic.Began)
            .AddFirstAsked(TlsApi.Began)
            .AddSingleton<EngineTraffic>()
            .AddSingleton<GaugeSettings>()
            .AddSingleton<ScrapeTargets>()
            .AddSingleton<SandboxClusters>()
            .AddSingleton<AccessReview>()
            .AddSingleton<SandboxApi, KubernetesApi>()
            .AddSingleton<SandboxApi, ExportersApi>()
            .AddSingleton<SandboxApi, PrometheusApi>()
            .AddSingleton<SandboxApi, ProviderApi>()
            .AddSingleton<SandboxApi, LiteLlmApi>()
            .AddSingleton<SandboxApi, ServiceNowApi>()
            .AddSingleton<SandboxApi, JiraApi>()
            .AddSingleton<SandboxApi, AzureDevOpsApi>()
            .AddSingleton<SandboxApi, PagerDutyApi>()
            .AddSingleton<SandboxApi, GrafanaOnCallApi>()
            .AddSingleton<SandboxApi, CalendarApi>()
            .AddSingleton<SandboxApi, AppConfigurationApi>()
            .AddSingleton<TlsApi>()
            .AddSingleton<SandboxApi>(provider => provider.GetRequiredService<TlsApi>())
            .AddSingleton<TlsConnections>()
            .AddArm()
            .AddSingleton<SandboxApi, ArmApi>()
            .AddSingleton<Abuse>()
            .AddSingleton<LogTable, SlowRequestsTable>()
            .AddSingleton<LogTable, FlaggedPromptsTable>()
            .AddSingleton<LogTable, EdgeTable>()
            .AddSingleton<LogTable, UnusedTable>()
            .AddSingleton<LogTable, GatewayRequestsTable>()
            .AddSingleton<SandboxApi, LogsApi>();
        // APIs, kinds of resources and clusters may have something to remember.
        return services
            .AddSingleton<IEnumerable<IRemembered>>(provider => provider.GetServices<SandboxApi>().OfType<IRemembered>()
                .Concat(provider.GetServices<ArmKind>())
                .Concat(provider.GetRequiredService<SandboxClusters>().All)
                .Concat(provider.GetRequiredService<SandboxClusters>().All.Select(cluster => cluster.AiRoutes))
                .Concat(provider.GetServices<FirstAsked>())
                .Append(provider.GetRequiredService<GaugeSettings>()));
    }

    private static IServiceCollection AddFirstAsked(this IServiceCollection services, string key) => services
        .AddKeyedSingleton(key, (provider, _) => ActivatorUtilities.CreateInstance<FirstAsked>(provider, key))
        .AddSingleton(provider => provider.GetRequiredKeyedService<FirstAsked>(key));
}

/// <summary>
/// The sandbox asks for no key, and every page in a browser on this machine can reach it. Such a page must not change anything,
/// neither with a form nor under a host name of its own that it points at this machine.
/// </summary>
internal static class ForeignPages
{
    public static bool MayChange(HttpRequest request)
    {
        if (request.Path.StartsWithSegments("/_sandbox") && !IsThisMachine(request.Host.Host))
        {
            return false;
        }

        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return true;
        }

        // Browsers say where a request comes from, which pages cannot forge; programs say nothing.
        var (site, origin) = (request.Headers["Sec-Fetch-Site"].ToString(), request.Headers.Origin.ToString());
        if (site.Length == 0 && origin.Length == 0)
        {
            return true;
        }

        return IsThisMachine(request.Host.Host) && (site.Length > 0
            ? site is "same-origin" or "none"
            : Uri.TryCreate(origin, UriKind.Absolute, out var from)
                && string.Equals(from.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }

    public static Task RefuseAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status403Forbidden;
        return response.WriteAsync("The sandbox takes this from programs on this machine, and from no page of another site.");
    }

    private static bool IsThisMachine(string host) =>
        host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}

/// <summary>The settings that point the real integrations at the sandbox. They are the only difference to production.</summary>
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
