using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;
using Runbooks.Catalog;
using Runbooks.Sandbox;
using Runbooks.SignedLinks;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>Starts the self-hosted process and runs it until it is stopped.</summary>
internal static class ServerHost
{
    public static async Task<int> RunAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        var folder = RunbookFolder.Find(settings.RunbooksDirectory);
        settings = settings with { Port = FreePort(settings.Port, settings.ListenAny) };
        DataFolder.Prepare(settings);
        await using var sandbox = settings.Practice ? await SandboxWorld.EnterAsync(settings, cancellationToken) : null;
        await using var app = Build(settings, folder, sandbox?.Address);
        await OpenStorageAsync(app.Services, settings, cancellationToken);
        LoadRunbooks(app.Services.GetRequiredService<RunbookCatalog>(), folder);
        WindowsWatch.Load(app.Services, folder);
        var book = ServerContacts.Load(app.Services);
        await StartAsync(app, cancellationToken);
        StartupMessage.Show(settings, app.Services.GetRequiredService<RunbookCatalog>().Current, folder.Path, new Uri($"http://localhost:{settings.Port}"), sandbox);
        ServerContacts.Say(book, app.Services.GetRequiredService<RunbookCatalog>().Current, settings);
        var links = app.Services.GetRequiredService<IOptions<PublicAddressOptions>>().Value.PublicUrl;
        if (settings.ListenAny && new Uri(links).IsLoopback)
        {
            ConsoleOutput.Line($"[yellow]Links in messages lead to {ConsoleOutput.Plain(links)}, which only this machine can open.[/] Set Runbooks:PublicUrl to the address that people use.");
        }

        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Done;
    }

    /// <param name="sandbox">Where the sandbox is; null without one.</param>
    /// <param name="adjust">What a test or a benchmark has otherwise than a person's machine; has the last word.</param>
    internal static WebApplication Build(ServerSettings settings, RunbookFolder folder, Uri? sandbox, Action<IServiceCollection>? adjust = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Runbooks:PublicUrl"] = $"http://localhost:{settings.Port}" })
            .AddInMemoryCollection(sandbox is null ? [] : SandboxSettings.For(sandbox));
        if (settings.ConfigFile is { } file)
        {
            builder.Configuration.AddJsonFile(File.Exists(file) ? file : throw new CommandException($"There is no file {file}."), optional: false);
        }

        builder.Configuration.AddEnvironmentVariables("RUNBOOK_");
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            if (settings.ListenAny)
            {
                kestrel.ListenAnyIP(settings.Port);
            }
            else
            {
                kestrel.ListenLocalhost(settings.Port);
            }
        });
        builder.Services.AddRunbookServer(settings, folder);
        adjust?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapRunbooks();
        return app;
    }

    /// <exception cref="CommandException">What incidents are kept in cannot be used.</exception>
    internal static async Task OpenStorageAsync(IServiceProvider services, ServerSettings settings, CancellationToken cancellationToken)
    {
        if (settings.Storage == StorageKind.Azure)
        {
            await SharedAccount.OpenAsync(services, settings, cancellationToken);
        }
        else
        {
            DataFolder.Open(services);
        }
    }

    internal static void LoadRunbooks(RunbookCatalog catalog, RunbookFolder folder)
    {
        var result = catalog.Load(folder.Read());
        if (result.Errors.Count > 0)
        {
            throw new CommandException($"The runbooks in {folder.Path} have errors; nothing was started.\n{string.Join("\n", result.Errors)}", ExitCode.Failed);
        }

        foreach (var warning in result.Warnings)
        {
            ConsoleOutput.Line($"[yellow]{ConsoleOutput.Plain($"warning: {warning}")}[/]");
        }
    }

    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (OptionsValidationException invalid)
        {
            throw new CommandException($"The settings are not usable: {string.Join(" ", invalid.Failures)}");
        }
    }

    /// <summary>Asked before anything starts: messages name the port, and a half-started host would have to be undone.</summary>
    /// <exception cref="CommandException">The wanted port is taken.</exception>
    internal static int FreePort(int wanted, bool onAny = false)
    {
        using var listener = new TcpListener(onAny ? IPAddress.Any : IPAddress.Loopback, wanted);
        try
        {
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException)
        {
            throw new CommandException($"Port {wanted} is taken. Stop what listens there, or choose another with --port.");
        }
    }
}
