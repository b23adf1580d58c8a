using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RunbookFunctions.Catalog;
using RunbookFunctions.Contacts;
using RunbookFunctions.Durable;
using RunbookFunctions.Telemetry;
using Runbooks.AzureStorage;
using Runbooks.Catalog;
using Runbooks.Storage;
using Runbooks.Watchdog;
using Runbooks.Web.SignIn;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.AddTelemetry();

builder.Services
    .AddRunbooks()
    .AddRunbookCatalog()
    .AddPublishedRunbooks()
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

await builder.Build().RunAsync();
