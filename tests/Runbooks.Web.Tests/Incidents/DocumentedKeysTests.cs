using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Web.Access;
using Runbooks.Web.Decisions;
using Runbooks.Web.Http;
using Runbooks.Web.Incidents;
using Runbooks.Web.Intake;
using TestKit;

namespace Runbooks.Web.Tests.Incidents;

/// <summary>docs/http.md names every key that the API writes; its table is written out of the answers: <c>UPDATE_DOCS=1</c>.</summary>
public sealed partial class DocumentedKeysTests
{
    private static readonly JsonSerializerOptions s_json = new(WebJson.Options) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    private static readonly (string Name, Type Type)[] s_objects =
    [
        ("an answer about alerts", typeof(IntakeResponse)),
        ("`incidents[]` of it", typeof(IntakeOutcome)),
        ("a line of a listing", typeof(IncidentLine)),
        ("one incident", typeof(IncidentView)),
        ("`publication`", typeof(Publication)),
        ("`attention`", typeof(Attention)),
        ("`alert`", typeof(AlertView)),
        ("`alerts[]`", typeof(AttachedAlertView)),
        ("`unlistedAlerts`", typeof(UnlistedAlertsView)),
        ("`recurrences[]`", typeof(RecurrenceView)),
        ("`suppressedBy`", typeof(IncidentSuppression)),
        ("`news[]`", typeof(NewsView)),
        ("`findings[]`, `verification[]`", typeof(FindingView)),
        ("`looks[]`", typeof(VerificationRound)),
        ("`gate`, `gates[]`", typeof(GateView)),
        ("`gate.plan[]`", typeof(PlannedStepView)),
        ("`gate.task`", typeof(ManualTask)),
        ("`gate.task.items[]`", typeof(TaskItem)),
        ("`gate.onCall[]`", typeof(OnCallView)),
        ("`gate.decisions[]`", typeof(DecisionView)),
        ("`steps[]`", typeof(StepView)),
        ("`stop`", typeof(StopRequest)),
        ("`deliveries[]`", typeof(Delivery)),
        ("`timeline[]`", typeof(TimelineEntry)),
        ("`killSwitch`", typeof(KillSwitchState)),
        ("`killSwitch.changes[]`", typeof(KillSwitchChange)),
        ("`refused[]`", typeof(RefusedRequest)),
        ("`was` of a reset", typeof(BreakerOpening)),
        ("an answer to a decision, a stop, a take-back, a close, an acknowledgement, a note", typeof(DecisionResponse)),
    ];

    [Fact]
    public async Task EveryAddressOfTheApi_IsInTheDocument()
    {
        await using var host = new WebHost();
        await host.InitializeAsync();
        var written = await File.ReadAllTextAsync(RepositoryRoot.Of("docs", "http.md"), TestContext.Current.CancellationToken);
        var addresses = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => (Path: endpoint.RoutePattern.RawText!, Methods: endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods))
            .Where(endpoint => endpoint.Path.StartsWith("/api/", StringComparison.Ordinal) || endpoint.Path == "/mcp")
            .SelectMany(endpoint => endpoint.Methods.Where(method => method != HttpMethods.Options && method != HttpMethods.Head).Select(method => $"{method} {endpoint.Path}")).ToList();

        addresses.Count.ShouldBeGreaterThan(15);
        addresses.Where(address => !written.Contains($"`{address}`", StringComparison.Ordinal) && !written.Contains($"`{address}?", StringComparison.Ordinal)).ShouldBeEmpty();
        Enum.GetNames<Role>().Except([nameof(Role.None)]).Where(role => !written.Contains($"| `{CamelCase.Of(Enum.Parse<Role>(role))}` |", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void EveryKeyThatTheApiWrites_IsInTheDocument()
    {
        var file = RepositoryRoot.Of("docs", "http.md");
        var table = $"| object | keys |\n|---|---|\n{string.Concat(s_objects.Select(one => $"| {one.Name} | {string.Join(", ", KeysOf(one.Type).Select(key => $"`{key}`"))} |\n"))}";
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            File.WriteAllText(file, Table().Replace(File.ReadAllText(file).ReplaceLineEndings("\n"), table));
        }

        Table().Match(File.ReadAllText(file).ReplaceLineEndings("\n")).Value.ShouldBe(table, "docs/http.md is out of date: run the tests with UPDATE_DOCS=1");
    }

    /// <summary>An object that is in an answer and not in the table would be missed by the other test.</summary>
    [Fact]
    public void EveryObjectOfAnAnswer_IsInTheTable() =>
        s_objects.SelectMany(one => s_json.GetTypeInfo(one.Type).Properties)
            .Select(property => property.PropertyType.IsGenericType ? property.PropertyType.GetGenericArguments()[^1] : property.PropertyType)
            .Where(type => type is { IsEnum: false, IsValueType: false, Namespace: not null } && type.Namespace.StartsWith("Runbooks", StringComparison.Ordinal) && type.Namespace != "Runbooks.Intake.Parsing")
            .Except(s_objects.Select(one => one.Type)).ShouldBeEmpty();

    private static IEnumerable<string> KeysOf(Type type) => s_json.GetTypeInfo(type).Properties.Where(property => property is { Get: not null, IsExtensionData: false }).Select(property => property.Name);

    [GeneratedRegex("\\| object \\| keys \\|\n\\|---\\|---\\|\n(\\|.*\\|\n)*")]
    private static partial Regex Table();
}
