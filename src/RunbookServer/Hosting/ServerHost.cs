using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Runbooks.Guardrails;
using Runbooks.Sandbox;
using Runbooks.Settings;
using Runbooks.Storage;
using RunbookServer.Practice;

namespace RunbookServer.Hosting;

internal static class ServerHost
{
    public static async Task<int> RunAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        var folder = RunbookFolder.FindOrContainer(settings.RunbooksDirectory);
        settings = settings with { Port = ServerPort.FindFree(settings.Port, settings.ListenAny) };
        DataFolder.Prepare(settings);
        await using var sandbox = settings.Practice ? await SandboxWorld.EnterAsync(settings, cancellationToken) : null;
        await using var app = await BuildAsync(settings, folder, sandbox?.Address, cancellationToken: cancellationToken);
        await OpenStorageAsync(app.Services, settings, cancellationToken);
        var book = ServerContacts.Load(app.Services);
        await LoadRunbooksAsync(app.Services, folder, cancellationToken);
        await StartAsync(app, cancellationToken);
        var address = new Uri($"http://localhost:{settings.Port}");
        SecretFiles.WriteAddress(settings.DataDirectory, ServerDefaults.AddressFile, address);
        var summary = await StartupSummary.ReadAsync(app.Services, cancellationToken);
        StartupMessage.Show(settings, app.Services, folder.Path, address, sandbox, summary);
        ServerContacts.WarnAboutContacts(book, app.Services.GetRequiredService<RunbookCatalog>().Current, settings);
        StartupMessage.WarnAboutAddresses(settings, app.Services);
        StartupMessage.WarnAboutVariables(app.Services);
        StartupMessage.WarnAboutConnections(app.Services);
        await WaitAsync(app, cancellationToken);
        return ExitCode.Done;
    }

    /// <exception cref="CommandException">It stopped by itself. A supervisor has to know, so that it starts it again.</exception>
    internal static async Task WaitAsync(IHost host, CancellationToken cancellationToken)
    {
        // Read at the moment when it begins to stop: a part that breaks after that did not stop it.
        AggregateException? broken = null;
        using var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() =>
            broken = FailureOfPart(host.Services));
        await host.WaitForShutdownAsync(cancellationToken);
        if (broken is not null)
        {
            throw new CommandException(
                $"The host stopped because a part of it broke: {broken.GetBaseException().Message.TrimEnd('.')}. "
                + "The log says where. Start it again: open incidents go on where they were.",
                ExitCode.Failed);
        }
    }

    private static AggregateException? FailureOfPart(IServiceProvider services) => services.GetServices<IHostedService>()
        .OfType<BackgroundService>()
        .Select(part => part.ExecuteTask?.Exception)
        .FirstOrDefault(failure => failure is not null);

    /// <param name="adjust">What a test or a benchmark needs otherwise than a person's machine; has the last word.</param>
    internal static async Task<WebApplication> BuildAsync(
        ServerSettings settings,
        RunbookFolder folder,
        Uri? sandbox,
        Action<IServiceCollection>? adjust = null,
        CancellationToken cancellationToken = default)
    {
        // A variable for other programs on this machine must neither open a weak key nor show errors in full.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = Environments.Production,
        });
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
        AddLogging(builder.Logging);
        builder.WebHost.ConfigureKestrel(kestrel => ServerPort.Listen(kestrel, settings));
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
        // For load balancers: this process listens. A fault that all processes share must not take one of them out.
        app.MapMethods("/readyz", [HttpMethods.Get, HttpMethods.Head], () => Results.Ok());
        app.MapMetrics();
        if (practice)
        {
            app.MapPractice();
        }

        return app;
    }

    private static void AddLogging(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        logging.SetMinimumLevel(LogLevel.Warning);

        // These log in one line what was taken over while the host runs.
        string[] takingOver = [typeof(RuleSetLoader).FullName!, typeof(ContactsReload).FullName!, typeof(MaintenanceReload).FullName!];
        foreach (var category in takingOver)
        {
            logging.AddFilter(category, LogLevel.Information);
        }
    }

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

            // Otherwise the first approved step would find it out.
            await services.GetRequiredService<RestoredRecords>().EnsureCheckedAsync(cancellationToken);
        }
        catch (StoreUnavailableException refused)
        {
            throw new CommandException($"{Failures.Describe(refused).Message} Nothing was started.");
        }
    }

    /// <exception cref="CommandException">A file has errors, and no version of it was in force before.</exception>
    internal static async Task LoadRunbooksAsync(IServiceProvider services, RunbookFolder folder, CancellationToken cancellationToken)
    {
        var (_, result, windows) = await services.GetRequiredService<RuleSetRefresh>().LoadAsync(cancellationToken);
        if (result.Errors.Count > 0 && services.GetRequiredService<RunbookCatalog>().Current.Count == 0)
        {
            throw new CommandException(
                $"The runbooks in {folder.Path} have errors; nothing was started.\n{string.Join("\n", result.Errors)}", ExitCode.Failed);
        }

        if (windows.Count > 0)
        {
            // A window that cannot be understood would otherwise be found out during the maintenance.
            throw new CommandException(
                $"The maintenance windows have errors; nothing was started.\n{string.Join("\n", windows)}", ExitCode.Failed);
        }

        if (result.Kept.Count > 0)
        {
            var kept = ConsoleOutput.Plain(string.Join(", ", result.Kept));
            ConsoleOutput.Line($"[yellow]Because of the errors these stay in force as they were: {kept}.[/]");
        }
    }

    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        if (InvalidSettings.Find(app.Services) is { Count: > 0 } wrong)
        {
            throw new CommandException(string.Join("\n", wrong));
        }

        try
        {
            _ = app.Services.GetServices<IHostedService>().Count();
            await app.StartAsync(cancellationToken);
        }
        catch (OptionsValidationException invalid)
        {
            throw new CommandException(string.Join("\n", InvalidSettings.Describe(invalid)));
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            throw new CommandException(
                $"{taken.Message.TrimEnd('.')}. "
                + "Stop what listens there, or choose another port with --port; 0 takes any free one.");
        }
    }
}
