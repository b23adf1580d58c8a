using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Runbooks.Guardrails;
using Runbooks.Sandbox;
using Runbooks.Settings;
using Runbooks.SignedLinks;
using Runbooks.Storage;
using RunbookServer.Practice;

namespace RunbookServer.Hosting;

/// <summary>Starts the self-hosted process and runs it until it is stopped.</summary>
internal static class ServerHost
{
    public static async Task<int> RunAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        var folder = RunbookFolder.FindOrContainer(settings.RunbooksDirectory);
        settings = settings with { Port = FreePort(settings.Port, settings.ListenAny) };
        DataFolder.Prepare(settings);
        await using var sandbox = settings.Practice ? await SandboxWorld.EnterAsync(settings, cancellationToken) : null;
        await using var app = await BuildAsync(settings, folder, sandbox?.Address, cancellationToken: cancellationToken);
        await OpenStorageAsync(app.Services, settings, cancellationToken);
        var book = ServerContacts.Load(app.Services);
        await LoadRunbooksAsync(app.Services, folder, cancellationToken);
        await StartAsync(app, cancellationToken);
        SecretFiles.WriteAddress(settings.DataDirectory, settings.Port);
        var summary = await StartupSummary.ReadAsync(app.Services, cancellationToken);
        StartupMessage.Show(settings, app.Services, folder.Path, new Uri($"http://localhost:{settings.Port}"), sandbox, summary);
        ServerContacts.WarnAboutContacts(book, app.Services.GetRequiredService<RunbookCatalog>().Current, settings);
        var links = app.Services.GetRequiredService<IOptions<PublicAddressOptions>>().Value.PublicUrl;
        if (settings.ListenAny && new Uri(links).IsLoopback)
        {
            ConsoleOutput.Line($"[yellow]Links in messages lead to {ConsoleOutput.Plain(links)}, which only this machine can open.[/] Set Runbooks:PublicUrl to the address that people use.");
        }

        await WaitAsync(app, cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>Until somebody stops it.</summary>
    /// <exception cref="CommandException">It stopped by itself. Whatever keeps it running has to know, so that it is started again.</exception>
    internal static async Task WaitAsync(IHost host, CancellationToken cancellationToken)
    {
        // What breaks while it stops has not stopped it.
        Exception? broken = null;
        using var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() =>
            broken = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().Select(part => part.ExecuteTask?.Exception).FirstOrDefault(failure => failure is not null));
        await host.WaitForShutdownAsync(cancellationToken);
        if (broken is not null)
        {
            throw new CommandException($"The host stopped because a part of it broke: {broken.GetBaseException().Message.TrimEnd('.')}. The log says where. Start it again: open incidents go on where they were.", ExitCode.Failed);
        }
    }

    /// <param name="sandbox">Where the sandbox is; null without one.</param>
    /// <param name="adjust">What a test or a benchmark has otherwise than a person's machine; has the last word.</param>
    internal static async Task<WebApplication> BuildAsync(
        ServerSettings settings, RunbookFolder folder, Uri? sandbox, Action<IServiceCollection>? adjust = null, CancellationToken cancellationToken = default)
    {
        // What a variable for other programs on this machine says shall neither open a weak key nor show errors in full.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Production });
        builder.Configuration.Sources.Clear();
        builder.Configuration
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Runbooks:PublicUrl"] = $"http://localhost:{settings.Port}" })
            .AddInMemoryCollection(sandbox is null ? [] : SandboxSettings.For(sandbox));
        if (settings.ConfigFile is { } file)
        {
            builder.Configuration.AddSettingsFile(file);
        }

        builder.Configuration.AddTelemetryVariables().AddEnvironmentVariables(SettingsFile.Variables);
        var unresolved = VaultReferences.Empty(builder.Configuration);
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);

        // What was taken over while the host runs is said, in one line each.
        foreach (var category in (string[])[typeof(RuleSetLoader).FullName!, typeof(ContactsReload).FullName!, typeof(MaintenanceReload).FullName!])
        {
            builder.Logging.AddFilter(category, LogLevel.Information);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ConnectionLimit.Current();
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            if (settings.ListenAny)
            {
                kestrel.ListenAnyIP(settings.Port);
            }
            else
            {
                kestrel.ListenLocalhost(settings.Port);
            }
        });
        builder.Services.AddRunbookServer(settings, folder).AddServerTelemetry(builder.Configuration);
        var practice = settings.Practice && sandbox is not null;
        if (practice)
        {
            builder.Services.AddSingleton(new SandboxClient(sandbox!)).AddSingleton<SandboxHandler>();
        }

        adjust?.Invoke(builder.Services);
        var app = builder.Build();
        VaultReferences.Report(unresolved, app.Services.GetRequiredService<ILoggerFactory>());
        if (VaultReferences.FindProblems(unresolved) is { Count: > 0 } missing)
        {
            throw new CommandException(string.Join("\n", missing));
        }

        await ServerSettingsCheck.RefuseUnknownAsync(app.Services, app.Configuration, settings, cancellationToken);
        if (practice)
        {
            PracticeGuard.RefuseRealSystems(ServerSettingsCheck.FindGiven(app.Configuration));
        }

        app.MapRunbooks();
        // What to balance by: it listens. What all processes share is no reason to leave one out.
        app.MapMethods("/readyz", [HttpMethods.Get, HttpMethods.Head], () => Results.Ok());
        app.MapMetrics();
        if (practice)
        {
            app.MapPractice();
        }

        return app;
    }

    /// <exception cref="CommandException">What incidents are kept in cannot be used.</exception>
    internal static async Task OpenStorageAsync(IServiceProvider services, ServerSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            if (settings.Storage == StorageKind.Azure)
            {
                await StorageAccountStartup.OpenAsync(services, settings, cancellationToken);
            }
            else
            {
                DataFolder.Open(services);
                await PracticeGuard.KeepApartAsync(services, settings, cancellationToken);
            }

            // Otherwise it is found out by the first step that was approved.
            await services.GetRequiredService<RestoredRecords>().EnsureCheckedAsync(cancellationToken);
        }
        catch (StoreUnavailableException refused)
        {
            throw new CommandException($"{refused.Message} Nothing was started.");
        }
    }

    /// <exception cref="CommandException">A file has errors, and no version of it was in force before.</exception>
    internal static async Task LoadRunbooksAsync(IServiceProvider services, RunbookFolder folder, CancellationToken cancellationToken)
    {
        var (_, result, windows) = await services.GetRequiredService<RuleSetRefresh>().LoadAsync(cancellationToken);
        if (result.Errors.Count > 0 && services.GetRequiredService<RunbookCatalog>().Current.Count == 0)
        {
            throw new CommandException($"The runbooks in {folder.Path} have errors; nothing was started.\n{string.Join("\n", result.Errors)}", ExitCode.Failed);
        }

        if (windows.Count > 0)
        {
            // A window that cannot be understood would otherwise be found out during the maintenance.
            throw new CommandException($"The maintenance windows have errors; nothing was started.\n{string.Join("\n", windows)}", ExitCode.Failed);
        }

        if (result.Kept.Count > 0)
        {
            ConsoleOutput.Line($"[yellow]Because of the errors these stay in force as they were: {ConsoleOutput.Plain(string.Join(", ", result.Kept))}.[/]");
        }
    }

    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        if (InvalidSettings.Find(app.Services) is { Count: > 0 } wrong)
        {
            throw new CommandException(string.Join("\n", wrong.Select(invalid => ServerSettingsCheck.Describe(invalid, app.Services))));
        }

        try
        {
            _ = app.Services.GetServices<IHostedService>().Count();
            await app.StartAsync(cancellationToken);
        }
        catch (OptionsValidationException invalid)
        {
            throw new CommandException(ServerSettingsCheck.Describe(invalid, app.Services));
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            throw new CommandException($"{taken.Message.TrimEnd('.')}. Stop what listens there, or choose another port with --port; 0 takes any free one.");
        }
    }

    /// <summary>Asked before anything starts: messages name the port, and a half-started host would have to be undone.</summary>
    /// <exception cref="CommandException">The wanted port cannot be had.</exception>
    internal static int FreePort(int wanted, bool onAny = false)
    {
        try
        {
            while (true)
            {
                using var listener = new TcpListener(onAny ? IPAddress.Any : IPAddress.Loopback, wanted);
                listener.Start();
                var port = ((IPEndPoint)listener.LocalEndpoint).Port;
                if (IsFree(onAny ? IPAddress.IPv6Any : IPAddress.IPv6Loopback, port))
                {
                    return port;
                }

                if (wanted != 0)
                {
                    throw new SocketException((int)SocketError.AddressAlreadyInUse);
                }
            }
        }
        catch (SocketException refused)
        {
            throw new CommandException(refused.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"Port {wanted} is taken. Stop what listens there, or choose another with --port; 0 takes any free one.",
                SocketError.AccessDenied => $"Port {wanted} is for privileged programs. Choose one from 1024 on with --port; 0 takes any free one.",
                _ => $"Port {wanted} cannot be used: {refused.Message}. Choose another with --port; 0 takes any free one.",
            });
        }
    }

    /// <summary>The host listens on both kinds of address, and another program may have the newer one alone. A machine that has none of it is no hindrance.</summary>
    private static bool IsFree(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return true;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode != SocketError.AddressAlreadyInUse;
        }
    }
}

/// <summary>
/// How many connections the host takes at once. Each is an open file; half of those that the system allows, and no fewer than
/// <see cref="Kept"/>, are kept for the host itself, so that callers cannot use them up.
/// </summary>
internal static class ConnectionLimit
{
    private const long Most = 5_000;
    private const long Least = 32;

    /// <summary>A host that does nothing has some 320 files open, most of them its libraries; without one to load the next, .NET ends the process.</summary>
    private const long Kept = 500;
    private const int OpenFiles = 7;

    public static long Current() => Of(OperatingSystem.IsLinux() && GetLimit(OpenFiles, out var files) == 0 ? files.Current : ulong.MaxValue);

    internal static long Of(ulong openFiles)
    {
        var files = (long)Math.Min(openFiles, 2 * Most);
        return Math.Clamp(Math.Min(files / 2, files - Kept), Least, Most);
    }

    /// <summary>The kernel's <c>struct rlimit</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Current;
        public ulong Maximum;
    }

    [DllImport("libc", EntryPoint = "getrlimit"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int GetLimit(int resource, out Limit limit);
}
