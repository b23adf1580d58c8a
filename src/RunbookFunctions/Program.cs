using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RunbookFunctions.Catalog;
using RunbookFunctions.Contacts;
using RunbookFunctions.Durable;
using RunbookFunctions.Telemetry;
using Runbooks.AzureStorage;
using Runbooks.Settings;
using Runbooks.Storage;
using Runbooks.Watchdog;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.AddTelemetry();

builder.Services
    .AddRunbooks()
    .AddPublishedRunbooks(takesContacts: !MessagesServices.IsDevelopment(builder.Configuration))
    .AddRunbooksWeb()
    .AddPlatformSignIn()
    .AddWatchdog()
    .AddDurableEngine();

builder.Services
    .AddAzureStorage()
    .AddStoreSignals();

builder.Services
    .AddPeople(builder.Configuration)
    .AddIntegrations();

var app = builder.Build();
var problems = new SettingsChecker(app.Services.GetServices<SettingsSection>(), [], _ => null).Check(builder.Configuration, onlyOurs: false);
if (problems.Count == 0)
{
    problems = [.. InvalidSettings.Find(app.Services).SelectMany(invalid => invalid.Failures)];
}

if (problems.Count > 0)
{
    // A misspelt setting would do nothing, in silence.
    await Console.Error.WriteLineAsync($"The app was not started. {string.Join(' ', problems)}");
    return 2;
}

await app.RunAsync();
return 0;
