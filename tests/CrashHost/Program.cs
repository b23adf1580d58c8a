using CrashHost;
using Runbooks.AzureStorage;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Notifications.Storms;
using Runbooks.Sqlite;
using RunbookServer.Hosting;
using Spectre.Console;

// The self-hosted process as it is shipped, but for a bomb at its writes: CrashHost DATA RUNBOOKS PORT RANGE.
// A number on standard input arms it: so many write points later, when a write is about to be made or just was, the process
// kills itself with SIGKILL. Arming a running host saves a start for each kill.
// With the setting Storage:ConnectionString it works in that account, quick to take over; its writes are its requests there.
var folder = new RunbookFolder(args[1]);
var azure = Environment.GetEnvironmentVariable("RUNBOOK_Storage__ConnectionString") is not null;
var settings = new ServerSettings
{
    DataDirectory = args[0], Port = int.Parse(args[2], CultureInfo.InvariantCulture), Storage = azure ? StorageKind.Azure : StorageKind.Sqlite,
};
var left = -1;
new Thread(Arm) { IsBackground = true }.Start();

DataFolder.Prepare(settings);
await using var app = await ServerHost.BuildAsync(settings, folder, new Uri(args[3]), services =>
{
    services
        // Many stories in a minute, each with messages of its own.
        .Configure<StormOptions>(storms => storms.MoreThan = 10_000)
        .Replace(ServiceDescriptor.Singleton(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) })));
    if (azure)
    {
        DiagnosticListener.AllListeners.Subscribe(new AccountWrites(Pass));
        services.Replace(ServiceDescriptor.Singleton(new TaskHubTimes
        {
            Poll = TimeSpan.FromMilliseconds(100), Lock = TimeSpan.FromSeconds(6), Lease = TimeSpan.FromSeconds(5), LeaseLook = TimeSpan.FromSeconds(1),
        }));
    }
    else
    {
        services.Replace(ServiceDescriptor.Singleton(provider => new SqliteDatabase(
            new SqliteOptions { Path = Path.Combine(settings.DataDirectory, "runbooks.db"), Failpoint = _ => Pass() },
            provider.GetRequiredService<ILogger<SqliteDatabase>>())));
    }
});
await ServerHost.OpenStorageAsync(app.Services, settings, CancellationToken.None);
await ServerHost.LoadRunbooksAsync(app.Services, folder, CancellationToken.None);
await app.RunAsync();

void Arm()
{
    while (Console.ReadLine() is { } line)
    {
        Volatile.Write(ref left, int.Parse(line, CultureInfo.InvariantCulture));
        Console.WriteLine("armed");
    }
}

void Pass()
{
    if (Interlocked.Decrement(ref left) == -1)
    {
        Process.GetCurrentProcess().Kill();
        Thread.Sleep(Timeout.Infinite);
    }
}
