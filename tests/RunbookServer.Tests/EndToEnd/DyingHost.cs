using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Runbooks.Notifications.Storms;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using Runbooks.Sqlite;
using Runbooks.Sqlite.DurableTask;
using RunbookServer.Hosting;
using Spectre.Console;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>
/// The host in this process, whose database stops at one write as if the process had been killed there. It is then left as
/// it is, and another one goes on with the same data. It dies and is back in a fraction of the time that a process needs.
/// </summary>
internal sealed class DyingHost : ICrashingHost, IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("runbooks-").FullName;
    private readonly RunbookFolder _runbooks = new(QuickRunbooks.Path);
    private readonly List<Task> _left = [];
    private WebApplication _app = null!;
    private HostClient _client = null!;
    private TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _points = -1;

    public required SandboxServer Range { get; init; }

    /// <summary>Whether it was killed, since it was armed last.</summary>
    public bool Crashed { get; private set; }

    public static async Task<DyingHost> StartAsync()
    {
        var host = new DyingHost
        {
            Range = await SandboxServer.StartAsync(
                new SandboxOptions { Port = 0, TerminatesAfter = TimeSpan.Zero, ReadyAfter = TimeSpan.Zero }, TestContext.Current.CancellationToken),
        };
        await host.OpenAsync();
        return host;
    }

    /// <summary>It dies that many write points from now, counted from 0.</summary>
    public void Arm(int killAt)
    {
        Crashed = false;
        Volatile.Write(ref _points, killAt);
    }

    public async Task<T> UntilAsync<T>(Func<HostClient, Task<T?>> attempt)
        where T : class
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        while (!patience.IsCancellationRequested)
        {
            try
            {
                var doing = attempt(_client);
                if (await Task.WhenAny(doing, _killed.Task) == doing && await doing is { } done)
                {
                    return done;
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or SocketException or IOException or TaskCanceledException)
            {
                // It dies just now, or has just been started again.
            }

            if (_killed.Task.IsCompleted)
            {
                Crashed = true;
                Leave();
                _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                await OpenAsync();
            }
        }

        throw new TimeoutException("The host does not come to it.");
    }

    public async ValueTask DisposeAsync()
    {
        Leave();
        await Task.WhenAll(_left);
        await Range.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    private async Task OpenAsync()
    {
        var settings = new ServerSettings { DataDirectory = _data, Port = FreePort.Next() };
        DataFolder.Prepare(settings);
        _app = await ServerHost.BuildAsync(settings, _runbooks, Range.BaseAddress, services => services
            .AddLogging(logging => logging.ClearProviders())
            .Configure<StormOptions>(storms => storms.MoreThan = 10_000)
            .Replace(ServiceDescriptor.Singleton(new SqliteOptions { Path = Path.Combine(_data, "runbooks.db"), SurvivesPowerCut = false, Failpoint = _ => Pass() }))
            .Replace(ServiceDescriptor.Singleton(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }))));
        DataFolder.Open(_app.Services);
        await ServerHost.LoadRunbooksAsync(_app.Services, _runbooks, TestContext.Current.CancellationToken);
        await _app.StartAsync(TestContext.Current.CancellationToken);
        _client = new HostClient(new Uri($"http://localhost:{settings.Port}"), File.ReadAllText(Path.Combine(_data, ServerDefaults.KeyFile)).Trim());
    }

    /// <summary>Without a stop, as far as others can tell: the port and the database are free. The worker takes a second or two to end.</summary>
    private void Leave()
    {
        _client.Dispose();
        _app.Services.GetRequiredService<SqliteOrchestrationService>().Dispose();
        _app.Services.GetRequiredService<SqliteDatabase>().Dispose();
        _left.Add(_app.DisposeAsync().AsTask());
    }

    private void Pass()
    {
        if (Interlocked.Decrement(ref _points) == -1)
        {
            _killed.TrySetResult();
            throw new InvalidOperationException("killed");
        }
    }
}
