using Microsoft.Extensions.Options;
using Runbooks.Guardrails;
using Runbooks.Settings;
using Runbooks.SignedLinks;
using Runbooks.Web.Pages;
using Runbooks.Web.SignIn;

namespace RunbookServer.Hosting;

internal static class StartupMessage
{
    private const string Tried = "hanged-gpu";

    public static void Show(
        ServerSettings settings, IServiceProvider services, string folder, Uri address, SandboxWorld? sandbox, StartupSummary summary)
    {
        var runbooks = services.GetRequiredService<RunbookCatalog>().Current;
        ConsoleOutput.Line();
        ConsoleOutput.Line($"[bold]{CountText.Format(runbooks.Count, "runbook")}[/] from {ConsoleOutput.Plain(Relative(folder))}");
        var width = runbooks.Select(runbook => runbook.Id.Length).DefaultIfEmpty().Max();
        var steps = services.GetRequiredService<StepCatalog>();
        var mode = services.GetRequiredService<IOptions<SafetyOptions>>().Value.Mode;
        foreach (var runbook in runbooks)
        {
            var asks = RunbookModel.Asks(runbook, steps, mode);
            ConsoleOutput.Raw($"  {runbook.Id.PadRight(width)} {runbook.Title}{(asks == RunbookModel.AsksFirst ? "" : $" ({asks})")}");
        }

        var key = Relative(Path.Combine(settings.DataDirectory, ServerDefaults.KeyFile));
        ConsoleOutput.Line();
        ConsoleOutput.Raw($"  Console   {address}");
        ConsoleOutput.Raw($"  Mode      {summary.Mode}");
        ConsoleOutput.Raw($"  Incidents {summary.Incidents}");
        ConsoleOutput.Raw($"  API key   {key}");
        if (settings.Storage == StorageKind.Azure)
        {
            ConsoleOutput.Raw("  Storage   a storage account that other processes may share: "
                + "any of them answers, and if one dies the others take over its work");
        }

        if (sandbox is not null)
        {
            var whose = sandbox.IsShared ? "the sandbox of another process" : "a sandbox";
            ConsoleOutput.Raw($"  Practice  on: the integrations talk to {whose} on {sandbox.Where}; nothing real is touched");
            ConsoleOutput.Raw($"  Messages  {Relative(settings.OutboxDirectory)}, each with its approval link");
        }

        if (TryThis(settings, runbooks) is { } line)
        {
            ConsoleOutput.Line();
            ConsoleOutput.Line("[bold]Try this[/] in another terminal:");
            ConsoleOutput.Raw($"  {line}");
            if (ThisProgram.Sample($"{Tried}.azure-monitor.json") is { } sample)
            {
                ConsoleOutput.Line("or, as Azure Monitor does it:");
                ConsoleOutput.Raw($"  curl -sS {address}api/alerts/azure-monitor -H \"X-Api-Key: $(cat {key})\" -d @{sample}");
            }
        }

        ConsoleOutput.Line();
        ConsoleOutput.Raw("  Ctrl+C stops; open incidents go on at the next start.");
        ConsoleOutput.Line();
    }

    public static void WarnAboutAddresses(ServerSettings settings, IServiceProvider services)
    {
        var links = services.GetRequiredService<IOptions<PublicAddressOptions>>().Value.PublicUrl;
        if (settings.ListenAny && new Uri(links).IsLoopback)
        {
            ConsoleOutput.Line($"[yellow]Links in messages lead to {ConsoleOutput.Plain(links)}, which only this machine can open.[/] "
                + "Set Runbooks:PublicUrl to the address that people use.");
        }

        if (BelievesAnybody(services.GetRequiredService<IOptions<SignInOptions>>().Value, Environment.GetEnvironmentVariable))
        {
            ConsoleOutput.Line("[yellow]Auth:TrustPlatformPrincipal is on, "
                + "and nothing tells that Azure signs people in in front of this process: "
                + "whoever reaches it can name themselves an admin in a header.[/] "
                + "Set it to false, or let nothing reach this process but a proxy that takes X-MS-CLIENT-PRINCIPAL out of what comes in.");
        }
    }

    public static void WarnAboutVariables(IServiceProvider services)
    {
        foreach (var variable in ServerTelemetry.FindUnusable(services.GetRequiredService<IConfiguration>()))
        {
            ConsoleOutput.Line($"[yellow]The variable {variable} cannot be used as it is.[/] "
                + "OpenTelemetry takes its own default in its place, so traces and metrics may go nowhere (docs/telemetry.md).");
        }

        var variables = Environment.GetEnvironmentVariables().Keys.Cast<string>().ToList();
        foreach (var variable in ServerSettingsCheck.FindWithoutPrefix(services.GetServices<SettingsSection>(), variables))
        {
            ConsoleOutput.Line($"[yellow]The variable {ConsoleOutput.Plain(variable)} is not read.[/] "
                + $"Call it {ConsoleOutput.Plain($"{SettingsFile.Variables}{variable}")} where it is meant as a setting of this host.");
        }
    }

    /// <summary>The checks and actions that call a system, by how their names begin, and the setting without which there is none of it.</summary>
    internal static readonly (string Setting, string[] Callers)[] Connections =
    [
        ("Kubernetes:Clusters", ["kubernetes.", "envoyAiGateway."]),
        ("Prometheus:Endpoints", ["prometheus.", "gpu.", "vllm.", "tgi.", "triton.", "llm.latency"]),
        ("LlmProvider:Providers", ["llm.provider"]),
        ("LiteLlm:Proxies", ["litellm."]),
        ("AppConfiguration:Stores", ["appConfiguration."]),
        ("Tickets:Systems", ["ticket."]),
    ];

    /// <summary>Otherwise the first alert would find it out.</summary>
    public static void WarnAboutConnections(IServiceProvider services)
    {
        var runbooks = services.GetRequiredService<RunbookCatalog>().Current;
        foreach (var (setting, callers) in FindMissing(runbooks, services.GetRequiredService<IConfiguration>()))
        {
            ConsoleOutput.Line($"[yellow]Nothing is set up under {setting}, which {ConsoleOutput.Plain(callers)} need.[/] "
                + "Until there is, their checks are unknown and their steps are refused (docs/settings.md).");
        }
    }

    internal static IEnumerable<(string Setting, string Callers)> FindMissing(IReadOnlyCollection<Runbook> runbooks, IConfiguration configuration) =>
        from connection in Connections
        where !configuration.GetSection(connection.Setting).GetChildren().Any()
        let callers = runbooks.Where(runbook => Names(runbook).Any(name => Array.Exists(connection.Callers, name.StartsWith))).ToList()
        where callers.Count > 0
        select (connection.Setting, string.Join(", ", callers.Select(runbook => runbook.Id)));

    private static IEnumerable<string> Names(Runbook runbook) =>
        runbook.Diagnosis.Select(check => check.Check).Concat(runbook.AllSteps().Select(one => one.Step.Do));

    /// <summary>
    /// App Service says that its sign-in is on, and removes the header from requests. Container Apps say only that the process runs
    /// there, not whether their sign-in is on.
    /// </summary>
    /// <seealso href="https://learn.microsoft.com/azure/container-apps/environment-variables"/>
    internal static bool BelievesAnybody(SignInOptions signIn, Func<string, string?> variable) =>
        signIn.TrustPlatformPrincipal
        && !string.Equals(variable("WEBSITE_AUTH_ENABLED"), "true", StringComparison.OrdinalIgnoreCase)
        && string.IsNullOrEmpty(variable("CONTAINER_APP_NAME"));

    /// <returns>Null without practice: then everything is real, and pages the people on call.</returns>
    internal static string? TryThis(ServerSettings settings, IReadOnlyCollection<Runbook> runbooks) =>
        settings.Practice && runbooks.Any(runbook => runbook.Id == Tried)
            ? $"{ThisProgram.Command} fire {Tried}{Options(settings)}"
            : null;

    private static string Options(ServerSettings settings)
    {
        var url = settings.Port == ServerDefaults.Port ? "" : $" --url http://localhost:{settings.Port}/";
        var data = Relative(settings.DataDirectory) == ServerDefaults.DataDirectory ? "" : $" --data {Relative(settings.DataDirectory)}";
        return url + data;
    }

    private static string Relative(string path)
    {
        if (RunbookFolder.ContainerOf(path) is not null)
        {
            return path;
        }

        var relative = Path.GetRelativePath(".", path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}

internal sealed record StartupSummary(string Mode, string Incidents)
{
    public static async Task<StartupSummary> ReadAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var mode = services.GetRequiredService<IOptions<SafetyOptions>>().Value.Mode switch
        {
            RunMode.DryRun => "dry run: steps are only rehearsed, nothing outside is touched",
            RunMode.ApproveAll =>
                "approve all: a person says yes to everything that acts, also to runbooks that heal by themselves",
            _ => "normal: each runbook's own mode counts",
        };
        if ((await services.GetRequiredService<KillSwitch>().ReadAsync(cancellationToken)).Engaged)
        {
            mode += "; the kill switch is ON, so nothing acts until it is released on the page /safety";
        }

        return new(mode, await FindOpenAsync(services.GetRequiredService<IIncidentStore>(), cancellationToken) ?? "none open");
    }

    /// <returns>Null where no incident is open or left to a person.</returns>
    public static async Task<string?> FindOpenAsync(IIncidentStore store, CancellationToken cancellationToken)
    {
        var open = await store.ListAsync(new IncidentQuery(Open: true, Limit: IncidentQuery.Most), cancellationToken);
        var left = await store.ListAsync(new IncidentQuery(LeftToPeople: true, Limit: IncidentQuery.Most), cancellationToken);
        if (open.Items.Count == 0 && left.Items.Count == 0)
        {
            return null;
        }

        var atLeast = open.Next is null ? "" : "at least ";
        var waiting = open.Items.Count(line => line.Question is not null);
        return $"{Many(open)} open, {atLeast}{waiting} waiting for an answer, {Many(left)} left to a person";
    }

    private static string Many(IncidentPage page) =>
        page.Next is null ? $"{page.Items.Count}" : $"more than {IncidentQuery.Most}";
}
