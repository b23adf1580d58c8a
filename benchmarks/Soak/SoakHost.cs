using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Runbooks.Notifications.Storms;
using Runbooks.Watchdog;
using RunbookServer.Hosting;
using Spectre.Console;

namespace Soak;

/// <summary>
/// The self-hosted process as it is shipped, but that what has ended goes after two minutes and not after days, and that retention runs
/// each minute and not each day.
/// </summary>
internal static class SoakHost
{
    public static TimeSpan KeepFor { get; } = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(string data, int port)
    {
        var folder = new RunbookFolder(Path.Combine(AppContext.BaseDirectory, "runbooks"));
        var settings = new ServerSettings { DataDirectory = data, Port = port, Practice = false, RunbooksDirectory = folder.Path };
        DataFolder.Prepare(settings);
        await using var app = await ServerHost.BuildAsync(settings, folder, sandbox: null, services => services
            .Configure<StormOptions>(storms => storms.MoreThan = 10_000)
            .Replace(ServiceDescriptor.Singleton(Options.Create(new WatchdogOptions { KeepFor = KeepFor })))
            .AddHostedService<RetentionEachMinute>()
            .Replace(ServiceDescriptor.Singleton(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }))));
        await ServerHost.OpenStorageAsync(app.Services, settings, CancellationToken.None);
        await ServerHost.LoadRunbooksAsync(app.Services, folder, CancellationToken.None);
        await app.RunAsync();
        return 0;
    }

    private sealed class RetentionEachMinute(Retention retention, TimeProvider time) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            using var minute = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
            while (await minute.WaitForNextTickAsync(stoppingToken))
            {
                await retention.RunAsync(stoppingToken);
            }
        }
    }
}
