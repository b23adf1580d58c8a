using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using RunbookLocal.Hosting;
using RunbookLocal.Sqlite;
using Runbooks.Catalog;
using Spectre.Console;

// The host of one machine as it is shipped, but for a bomb in its only writer: CrashHost DATA RUNBOOKS PORT RANGE [POINT].
// At that write point, counted from 0, a commit is about to be made or just was: the process kills itself with SIGKILL.
var folder = new RunbookFolder(args[1]);
var settings = new LocalSettings { DataDirectory = args[0], Port = int.Parse(args[2], CultureInfo.InvariantCulture) };
var left = args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : -1;

DataFolder.Prepare(settings);
await using var app = LocalHost.Build(settings, folder, new Uri(args[3]), services => services
    .Replace(ServiceDescriptor.Singleton(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) })))
    .Replace(ServiceDescriptor.Singleton(provider => new SqliteDatabase(
        new SqliteOptions { Path = Path.Combine(settings.DataDirectory, "runbooks.db"), Failpoint = Pass },
        provider.GetRequiredService<ILogger<SqliteDatabase>>()))));
DataFolder.Open(app.Services);
LocalHost.LoadRunbooks(app.Services.GetRequiredService<RunbookCatalog>(), folder);
await app.RunAsync();

// Called by the one writer thread.
void Pass(WritePoint point)
{
    if (left-- == 0)
    {
        Process.GetCurrentProcess().Kill();
        Thread.Sleep(Timeout.Infinite);
    }
}
