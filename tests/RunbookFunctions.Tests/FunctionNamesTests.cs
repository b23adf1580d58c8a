using System.Reflection;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Runbooks.Orchestration;
using TestKit;

namespace RunbookFunctions.Tests;

public sealed class FunctionNamesTests
{
    private static readonly List<MethodInfo> s_functions =
    [
        .. typeof(OrchestrationFunctions).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
            .Where(method => method.GetCustomAttribute<FunctionAttribute>() is not null),
    ];

    [Fact]
    public void EveryActivity_HasItsFunctionWithTheSameTypes()
    {
        foreach (var activity in typeof(IncidentOrchestrator).Assembly.GetTypes().Where(type => type is { IsAbstract: false, IsPublic: true } && typeof(ITaskActivity).IsAssignableFrom(type)))
        {
            var function = s_functions.Single(method => NameOf(method) == activity.Name);

            var types = activity.BaseType!.GetGenericArguments();
            function.GetParameters()[0].ParameterType.ShouldBe(types[0], activity.Name);
            function.GetParameters()[0].GetCustomAttribute<ActivityTriggerAttribute>().ShouldNotBeNull(activity.Name);
            function.ReturnType.ShouldBe(typeof(Task<>).MakeGenericType(types[1]), activity.Name);
        }
    }

    /// <summary>Without a client whatever an activity starts or wakes fails, is logged, and waits for the watchdog.</summary>
    [Fact]
    public void EveryActivity_BindsAClient()
    {
        var activities = s_functions.Where(method => method.GetParameters().Any(p => p.GetCustomAttribute<ActivityTriggerAttribute>() is not null)).ToList();

        activities.Select(NameOf).ShouldContain(nameof(EndIncident));
        activities.Where(method => !method.GetParameters().Any(p => p.GetCustomAttribute<DurableClientAttribute>() is not null)).Select(NameOf).ShouldBeEmpty();
    }

    [Fact]
    public void Orchestrator_IsAFunctionUnderItsOwnName() =>
        s_functions.Single(method => NameOf(method) == IncidentOrchestrator.Name).GetParameters()[0].GetCustomAttribute<OrchestrationTriggerAttribute>().ShouldNotBeNull();

    /// <summary>Both start incidents: an instance without a version would fail at its first turn.</summary>
    [Fact]
    public void HostsDefaultVersion_IsTheOrchestrators()
    {
        using var host = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Of("host.json")));

        host.RootElement.GetProperty("extensions").GetProperty("durableTask").GetProperty("defaultVersion").GetString().ShouldBe(IncidentOrchestrator.Version);
    }

    /// <summary>The monitor's graph is kept by hand.</summary>
    [Fact]
    public void EveryFunction_IsOnTheMonitorsMap()
    {
        using var map = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Of("infra", "dfmon", "function-maps", "dfm-func-map.json")));

        s_functions.Select(NameOf).ShouldBeSubsetOf(map.RootElement.GetProperty("functions").EnumerateObject().Select(function => function.Name).ToList());
    }

    /// <summary>Only what proves its caller by itself may be open to everybody.</summary>
    [Fact]
    public void FunctionsWithoutAKey_AreTheKnownOnes()
    {
        var open = s_functions
            .Where(method => method.GetParameters().Any(p => p.GetCustomAttribute<HttpTriggerAttribute>()?.AuthLevel == AuthorizationLevel.Anonymous))
            .Select(NameOf);

        open.ShouldBeSubsetOf(
        [
            "AcknowledgeForm", "Assets", "BreakerForm", "CloseForm", "ConsolePage", "DecideForm", "DecisionForm", "DecisionPage", "Evidence", "Health", "IncidentPage", "KillForm", "NoteForm", "ReleaseForm", "ReportPage", "RetryForm", "RunbookPage", "RunbooksPage",
            "SafetyPage", "SecureAlertIntake", "SlackInteractions", "StartForm", "StatisticsPage", "StopForm", "TakeBackForm", "UnmatchedPage",
        ]);
    }

    /// <summary>Event Grid asks with OPTIONS before it posts, at every address for alerts.</summary>
    [Fact]
    public void EveryWayInForAlerts_AnswersEventGridsQuestion() => s_functions
        .SelectMany(method => method.GetParameters())
        .Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>())
        .Where(trigger => trigger?.Route?.EndsWith("alerts/{source}", StringComparison.Ordinal) == true)
        .ShouldEach(trigger => trigger!.Methods!.Contains("options") && trigger.Methods!.Contains("post"));

    private static string NameOf(MethodInfo method) => method.GetCustomAttribute<FunctionAttribute>()!.Name;
}
