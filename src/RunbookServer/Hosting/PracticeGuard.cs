using Runbooks.Integrations.Http;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using Runbooks.Settings;

namespace RunbookServer.Hosting;

/// <summary>Keeps practice away from real systems: it takes no settings of theirs, and shares no record with a host that acts on them.</summary>
internal static class PracticeGuard
{
    private const string Key = "practice";

    /// <summary>Settings in such sections that name no system: who we are, and how contacts are reached.</summary>
    private static readonly string[] s_namesNoSystem =
    [
        "Azure:ManagedIdentityClientId",
        "Azure:ManagedIdentityOnly",
        "Azure:TenantId",
        "PagerDuty:EventsUrl",
        "PagerDuty:RoutingKey",
    ];

    internal static IReadOnlySet<string> Outside { get; } = new ServiceCollection().AddIntegrations()
        .Where(service => service.ServiceType == typeof(SettingsSection))
        .Select(service => service.ImplementationInstance)
        .OfType<SettingsSection>()
        .Select(section => section.Name)
        .Concat(SandboxSettings.For(new Uri("http://localhost")).Keys.Select(setting => setting.Split(':')[0]))
        .Except([OutboundHttpOptions.SectionName])
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Replacing them with the sandbox's own values would not be enough: a step may name a system beside the default one.
    /// Systems on this machine may be named: another sandbox, a Prometheus to try.
    /// </summary>
    /// <exception cref="CommandException">One of them names a real system.</exception>
    public static void RefuseRealSystems(IEnumerable<(string Setting, string Value, string Origin)> given)
    {
        var real = given
            .Where(setting => NamesSystem(setting.Setting) && !SaysNoPlace(setting.Value))
            .GroupBy(setting => setting.Setting.Split(':')[0], StringComparer.OrdinalIgnoreCase)
            .Where(section => !IsOnThisMachine([.. section.Select(setting => (setting.Setting, setting.Value))]))
            .SelectMany(section => section.Select(setting => $"'{setting.Setting}' ({setting.Origin})"))
            .ToList();
        if (real.Count > 0)
        {
            var (say, them) = real.Count == 1 ? ("says", "it") : ("say", "them");
            throw new CommandException(
                $"Practice acts on the sandbox and this machine alone, and {string.Join(", ", real)} {say} which real systems to reach. "
                + $"Add --no-practice to act on them, or leave {them} out.");
        }
    }

    internal static bool NamesSystem(string setting) =>
        Outside.Contains(setting.Split(':')[0]) && !s_namesNoSystem.Contains(setting, StringComparer.OrdinalIgnoreCase);

    private static bool SaysNoPlace(string value) =>
        TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out _) || value.Equals("false", StringComparison.OrdinalIgnoreCase);

    /// <summary>The section has an address on loopback, and apart from that only names and keys: no other address, host or file.</summary>
    private static bool IsOnThisMachine(IReadOnlyList<(string Setting, string Value)> section) =>
        section.Any(setting => IsLoopback(setting.Value))
        && section.All(setting => IsLoopback(setting.Value) || IsNameOrKey(setting.Setting, setting.Value));

    private static bool IsNameOrKey(string setting, string value) =>
        value.IndexOfAny(['/', '.', ':', '\\']) < 0 && !setting.Contains("Hosts", StringComparison.OrdinalIgnoreCase);

    private static bool IsLoopback(string value)
    {
        var url = value.Contains("://", StringComparison.Ordinal) ? value : $"http://{value}";
        return Uri.TryCreate(url, UriKind.Absolute, out var address) && address.IsLoopback;
    }

    /// <summary>Whether the record says that practice alone has used it.</summary>
    public static async Task<bool> IsForPracticeAsync(ISharedState state, CancellationToken cancellationToken) =>
        await state.FindAsync<PracticeMark>(Key, cancellationToken) is { IsPractice: true };

    /// <summary>
    /// An incident goes on wherever its record is opened next. One that waits for approval in practice must not run on real systems,
    /// nor the other way round.
    /// </summary>
    /// <exception cref="CommandException">The record belongs to the other kind of host.</exception>
    public static async Task KeepApartAsync(IServiceProvider services, ServerSettings settings, CancellationToken cancellationToken)
    {
        // An older record has no mark. One with incidents may be of either kind, so practice does not mark it.
        var state = services.GetRequiredService<ISharedState>();
        var mark = await state.FindAsync<PracticeMark>(Key, cancellationToken);
        if (mark is null && settings.Practice && await HasIncidentsAsync(services, cancellationToken))
        {
            return;
        }

        mark ??= await state.ChangeAsync<PracticeMark>(Key, known => known ?? new(settings.Practice), cancellationToken);
        if (mark.IsPractice == settings.Practice)
        {
            return;
        }

        var (place, remedy) = settings.Storage == StorageKind.Azure
            ? ("The storage account", "Name another account in the section Storage")
            : ($"The data folder {settings.DataDirectory}", "Name another folder with --data");
        throw new CommandException(settings.Practice
            ? $"{place} holds incidents of real systems, which must not go on in a sandbox. {remedy}, or add --no-practice."
            : $"{place} was used to practise, and its incidents must not continue on real systems. {remedy}.");
    }

    private static async Task<bool> HasIncidentsAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var store = services.GetRequiredService<IIncidentStore>();
        return (await store.ListAsync(new IncidentQuery(Limit: 1), cancellationToken)).Items.Count > 0;
    }
}

/// <summary>Part of the record, so that every backup has it, and every process that shares the record.</summary>
internal sealed record PracticeMark(bool IsPractice);

/// <summary>The sandbox that a host acts on: its own, or that of another process that shares its incidents.</summary>
internal sealed class SandboxWorld(Uri address, SandboxServer? own) : IAsyncDisposable
{
    public static readonly Uri Usual = new($"http://127.0.0.1:{SandboxOptions.DefaultPort}");

    public Uri Address => address;

    /// <summary>It is another process's sandbox, and ends with that process.</summary>
    public bool IsShared => own is null;

    public string Where => address.Port == SandboxOptions.DefaultPort
        ? $"{address}"
        : $"{address} ({SandboxOptions.DefaultPort} is taken)";

    /// <summary>On the sandbox's usual port where that is free, so that people can remember it. The data folder has the address.</summary>
    public static async Task<SandboxWorld> EnterAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        var world = await FindOrStartAsync(settings, cancellationToken);
        SecretFiles.WriteAddress(settings.DataDirectory, ServerDefaults.SandboxAddressFile, world.Address);
        return world;
    }

    private static async Task<SandboxWorld> FindOrStartAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        // The state is there again at the next start, as in the real world.
        var options = new SandboxOptions { StateFile = Path.Combine(settings.DataDirectory, "sandbox.json") };
        try
        {
            return Own(await SandboxServer.StartAsync(options, cancellationToken));
        }
        catch (IOException)
        {
            // The port is taken, most likely by another host's sandbox. Hosts that share incidents act on one sandbox, others on their own.
            return settings.Storage == StorageKind.Azure && await AnswersAsync(Usual, cancellationToken)
                ? new SandboxWorld(Usual, null)
                : Own(await SandboxServer.StartAsync(options with { Port = 0 }, cancellationToken));
        }
    }

    public ValueTask DisposeAsync() => own?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static SandboxWorld Own(SandboxServer sandbox) => new(sandbox.BaseAddress, sandbox);

    public static async Task<bool> AnswersAsync(Uri sandbox, CancellationToken cancellationToken)
    {
        try
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            using var answer = await http.GetAsync(new Uri(sandbox, "/_sandbox/state"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception none) when (none is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
