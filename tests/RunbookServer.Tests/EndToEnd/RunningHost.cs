using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Publishing;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using Runbooks.Sqlite;
using Runbooks.Sqlite.DurableTask;
using Runbooks.Watchdog;
using RunbookServer.Hosting;
using Spectre.Console;
using TestKit.Engine;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>
/// The host of one machine as it is shipped: real HTTP, real task hub, real store, the sandbox behind it. Only
/// time is virtual, in host and range alike, so that twenty minutes pass at once.
/// </summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;
    private readonly RunbookFolder _runbooks;
    private readonly ServerSettings _settings;
    private readonly Action<IServiceCollection>? _adjust;
    private WebApplication _app = null!;

    private RunningHost(string? runbooks, PeopleFiles? people, Action<IServiceCollection>? adjust)
    {
        _adjust = adjust;
        _runbooks = new(runbooks ?? QuickRunbooks.Path);
        _settings = new ServerSettings { DataDirectory = Path.Combine(_home, "data"), Practice = people is null, ConfigFile = people?.WriteTo(_home) };
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 3, 0, 0, TimeSpan.Zero));

    public SandboxServer Range { get; private set; } = null!;

    public HostClient Client { get; private set; } = null!;

    public string DataFolder => _settings.DataDirectory;

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <param name="runbooks">The folder of runbooks; the shipped ones unless named.</param>
    /// <param name="people">Who is asked, on real channels; in practice everybody, in the outbox.</param>
    public static async Task<RunningHost> StartAsync(string? runbooks = null, PeopleFiles? people = null, Action<IServiceCollection>? adjust = null)
    {
        var host = new RunningHost(runbooks, people, adjust);
        host.Range = await SandboxServer.StartAsync(
            new SandboxOptions { Port = 0, Time = host.Time, TerminatesAfter = TimeSpan.Zero, ReadyAfter = TimeSpan.Zero },
            TestContext.Current.CancellationToken);
        await host.StartHostAsync();
        return host;
    }

    /// <summary>
    /// Stops the host as Ctrl+C does and starts it on the same data folder; the sandbox lives on. Nothing is under way by then:
    /// what a stop interrupts is tried again after a pause, on a clock that nobody moves.
    /// </summary>
    public async Task RestartAsync(Action? whileDown = null)
    {
        await SettleAsync();
        await StopHostAsync();
        whileDown?.Invoke();
        await StartHostAsync();
    }

    /// <summary>Lets time pass, timer by timer.</summary>
    public Task PassAsync(TimeSpan by) => VirtualTime.AdvanceAsync(Time, by, () => Hub.NextTimer, SettleAsync);

    /// <summary>Waits until every incident waits for time or for somebody: all messages have gone out.</summary>
    public Task SettleAsync() => Hub.WhenIdleAsync().WaitAsync(Patience.Limit);

    /// <summary>The approval link that practice mode sent to this recipient.</summary>
    public async Task<string> LinkAsync(string to, string? incident = null)
    {
        foreach (var file in Directory.EnumerateFiles(_settings.OutboxDirectory, "*.json"))
        {
            var message = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
            var isAbout = incident is null || message["incident"]!.ToString() == incident;
            if (isAbout && message["to"]!.ToString() == to && message["approvalLink"] is { } link)
            {
                return link.ToString();
            }
        }

        throw new ShouldAssertException($"No approval link went out to {to}.");
    }

    /// <summary>What the watcher does once the contacts were changed.</summary>
    public async Task ReloadContactsAsync(string text)
    {
        await File.WriteAllTextAsync(Path.Combine(_home, ContactsFile.FileName), text);
        await _app.Services.GetServices<IHostedService>().OfType<ContactsWatch>().Single().ReloadAsync(CancellationToken.None);
    }

    /// <summary>What the watcher of the folder does once a file was changed.</summary>
    public Task ReloadRunbooksAsync() => _app.Services.GetRequiredService<RuleSetRefresh>().RefreshAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await StopHostAsync();
        await Range.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    private SqliteOrchestrationService Hub => _app.Services.GetRequiredService<SqliteOrchestrationService>();

    private async Task StartHostAsync()
    {
        var settings = _settings with { Port = FreePort.Next() };
        RunbookServer.Hosting.DataFolder.Prepare(settings);
        _app = await ServerHost.BuildAsync(settings, _runbooks, Range.BaseAddress, services =>
        {
            services
                .AddLogging(logging => logging.ClearProviders())
                .Replace(ServiceDescriptor.Singleton<TimeProvider>(Time))
                // The disk is a real one, and so is the time that it is given.
                .Replace(ServiceDescriptor.Singleton(provider => new SystemHealth(provider.GetRequiredService<IIncidentStore>(), provider.GetRequiredService<IIncidentEngine>(), TimeProvider.System)))
                .Replace(ServiceDescriptor.Singleton(new SqliteTaskHubOptions { CheckClockEvery = null }))
                .Replace(ServiceDescriptor.Singleton(new SqliteOptions { Path = Path.Combine(DataFolder, "runbooks.db"), SurvivesPowerCut = false }))
                .Replace(ServiceDescriptor.Singleton(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) })));
            _adjust?.Invoke(services);
        });
        RunbookServer.Hosting.DataFolder.Open(_app.Services);
        await ServerHost.LoadRunbooksAsync(_app.Services, _runbooks, TestContext.Current.CancellationToken);
        await _app.StartAsync(TestContext.Current.CancellationToken);
        Client = new HostClient(new Uri($"http://localhost:{settings.Port}"), File.ReadAllText(Path.Combine(DataFolder, ServerDefaults.KeyFile)).Trim());
    }

    private async Task StopHostAsync()
    {
        Client.Dispose();
        await _app.StopAsync(TestContext.Current.CancellationToken);

        // A request that is just being given up is waited for on the host's clock, which nobody moves any more.
        var gone = _app.DisposeAsync().AsTask();
        while (await Task.WhenAny(gone, Task.Delay(TimeSpan.FromSeconds(1))) != gone)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
        }

        await gone;
    }
}
