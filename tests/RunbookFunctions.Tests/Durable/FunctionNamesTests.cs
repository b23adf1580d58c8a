using System.Reflection;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Runbooks.Incidents;
using Runbooks.Incidents.Activities;

namespace RunbookFunctions.Tests.Durable;

public sealed class FunctionNamesTests
{
    private static readonly List<MethodInfo> s_functions =
    [
        .. typeof(RunbookFunctions.Durable.IncidentOrchestrator).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
            .Where(method => method.GetCustomAttribute<FunctionAttribute>() is not null),
    ];

    [Fact]
    public void EveryActivity_HasItsFunctionWithTheSameTypes()
    {
        foreach (var field in typeof(IncidentActivities).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var activity = field.GetValue(null)!;
            var name = (string)activity.GetType().GetProperty("Name")!.GetValue(activity)!;

            var function = s_functions.Single(method => NameOf(method) == name);

            var types = activity.GetType().GetGenericArguments();
            function.GetParameters()[0].ParameterType.ShouldBe(types[0], name);
            function.GetParameters()[0].GetCustomAttribute<ActivityTriggerAttribute>().ShouldNotBeNull(name);
            function.ReturnType.ShouldBe(typeof(Task<>).MakeGenericType(types[1]), name);
        }
    }

    [Fact]
    public void Workflow_IsAFunctionUnderItsOwnName() =>
        s_functions.Single(method => NameOf(method) == IncidentWorkflow.Name).GetParameters()[0].GetCustomAttribute<OrchestrationTriggerAttribute>().ShouldNotBeNull();

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
            "Assets", "BreakerForm", "CloseForm", "ConsolePage", "DecisionForm", "DecisionPage", "Evidence", "Health", "IncidentPage", "KillForm", "ReleaseForm",
            "SafetyPage", "SecureAlertIntake", "SlackInteractions",
        ]);
    }

    private static string NameOf(MethodInfo method) => method.GetCustomAttribute<FunctionAttribute>()!.Name;
}
