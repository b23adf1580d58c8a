using System.Reflection;
using System.Text.Json;
using Runbooks.Incidents;
using Runbooks.Incidents.Activities;

namespace Infra.Tests.DurableFunctionsMonitor;

public sealed class FunctionMapTests
{
    private static readonly JsonElement Map = JsonDocument.Parse(
        File.ReadAllText(RepositoryRoot.Of("infra", "dfmon", "function-maps", "dfm-func-map.json"))).RootElement;

    [Fact]
    public void EveryActivity_IsCalledByTheWorkflow()
    {
        var activities = typeof(IncidentActivities).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.Name);

        var called = Map.GetProperty("functions").EnumerateObject()
            .Where(function => function.Value.GetProperty("bindings")[0].GetProperty("type").GetString() == "activityTrigger")
            .Where(function => function.Value.GetProperty("isCalledBy").EnumerateArray().Any(caller => caller.GetString() == IncidentWorkflow.Name))
            .Select(function => function.Name);

        called.ShouldBe(activities, ignoreOrder: true);
    }

    [Fact]
    public void Callers_AreFunctionsOfTheMap()
    {
        var functions = Map.GetProperty("functions").EnumerateObject().ToList();
        var names = functions.Select(function => function.Name).ToHashSet();

        foreach (var function in functions)
        {
            var callers = function.Value.GetProperty("isCalledBy").EnumerateArray().Select(caller => caller.GetString()!)
                .Concat(function.Value.GetProperty("isSignalledBy").EnumerateArray().Select(caller => caller.GetProperty("name").GetString()!));
            callers.ShouldBeSubsetOf(names);
        }
    }
}
