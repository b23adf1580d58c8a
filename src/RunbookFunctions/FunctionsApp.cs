using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RunbookFunctions.Durable;
using Runbooks.AzureStorage;
using Runbooks.Integrations.Disk;
using Runbooks.Settings;
using Runbooks.Storage;
using Runbooks.Watchdog;

namespace RunbookFunctions;

internal static class FunctionsApp
{
    /// <returns>The app, and what keeps it from being started, in sentences.</returns>
    public static (IHost App, IReadOnlyList<string> Problems) Build(FunctionsApplicationBuilder builder)
    {
        var unresolved = VaultReferences.Empty(builder.Configuration);
        builder.ConfigureFunctionsWebApplication();
        builder.AddTelemetry();

        builder.Services
            .AddRunbooks()
            .AddPublishedRunbooks(takesContacts: !MessagesServices.IsDevelopment(builder.Configuration))
            .AddRunbooksWeb()
            .AddPlatformSignIn()
            .AddWatchdog()
            .AddFileReports($"{Environment.MachineName} ({Environment.ProcessId})")
            .AddDurableEngine();

        builder.Services
            .AddAzureStorage()
            .AddStoreSignals()
            .Configure<DiskOptions>(disk => disk.ThisMachine = false); // before the settings, which have the last word

        builder.Services
            .AddPeople(builder.Configuration)
            .AddIntegrations();

        var app = builder.Build();
        VaultReferences.Report(unresolved, app.Services.GetRequiredService<ILoggerFactory>());

        // A misspelt setting would do nothing, in silence.
        var settings = new SettingsChecker(app.Services.GetServices<SettingsSection>(), [], _ => null);
        IReadOnlyList<string> problems = [.. VaultReferences.FindProblems(unresolved), .. MessagesServices.FindProblems(builder.Configuration, builder.Environment), .. settings.Check(builder.Configuration, onlyOurs: false).Select(problem => problem.Text)];
        return (app, problems.Count > 0 ? problems : [.. InvalidSettings.Find(app.Services).SelectMany(invalid => invalid.Failures)]);
    }
}
