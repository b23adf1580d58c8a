using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Sandbox;
using Runbooks.Storage;
using TestKit.Storage;

namespace Runbooks.Integrations.Tests.Shipped;

/// <summary>A WAF log that nobody has switched on says nothing of whether the user has given up, whichever WAF the block is in.</summary>
public sealed class ToxicLoopLogTests
{
    [Theory]
    [InlineData(1, Verdict.Passing)]
    [InlineData(0, Verdict.Unknown)]
    public async Task NoAttemptInTheLog_IsHealthOnlyWhereTheLogIsWritten(int everWritten, Verdict verdict)
    {
        await using var logs = await AnsweringServer.StartAsync();
        logs.Answer = context => context.Response.WriteAsync($$"""{"tables":[{"name":"PrimaryResult","columns":[{"name":"Count","type":"long"}],"rows":[[{{(logs.Requests.Last().Body.Contains("take 1", StringComparison.Ordinal) ? everWritten : 0)}}]]}]}""");
        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(SandboxSettings.For(new Uri(logs.Url))).AddInMemoryCollection(new Dictionary<string, string?> { ["Azure:LogsEndpoint"] = logs.Url }).Build())
            .AddSingleton<TimeProvider>(logs.Time).AddSingleton<ISharedState>(new InMemorySharedState()).AddLogging().AddRunbookCatalog().AddIntegrations().BuildServiceProvider();
        var catalog = services.GetRequiredService<RunbookCatalog>();
        var file = Path.Combine(AppContext.BaseDirectory, "runbooks", "toxic-loop.yaml");
        catalog.Load([new RunbookFile(Path.GetFileName(file), await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)) { Samples = SampleFolder.Read(Path.GetDirectoryName(file)!) }]).Errors.ShouldBeEmpty();
        var with = catalog.Current.Single().FindCheck("attempts").ShouldNotBeNull().With.GetRawText().Replace("{{ labels.workspace }}", "11111111-2222-3333-4444-55555555c0de", StringComparison.Ordinal).Replace("{{ incident.id }}", "261129-0300-0123abcd", StringComparison.Ordinal);
        var check = services.GetRequiredService<StepCatalog>().FindCheck("azureMonitor.logs").ShouldNotBeNull();

        var result = await check.AskAsync(ParameterBinder.Bind(JsonNode.Parse(with)!.AsObject(), check.ParametersType).Value.ShouldNotBeNull(), logs.Step(), TestContext.Current.CancellationToken);

        result.Verdict.ShouldBe(verdict, result.Summary);
        JsonNode.Parse(logs.Requests.Last().Body)!["query"]!.GetValue<string>().ShouldBe("""AzureDiagnostics | where Category in~ ("FrontDoorWebApplicationFirewallLog", "ApplicationGatewayFirewallLog") | take 1 | count""");
    }
}
