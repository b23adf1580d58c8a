using System.Text.Json;
using Microsoft.DurableTask;
using Runbooks.Orchestration;
using TestKit;

namespace Infra.Tests.DurableFunctionsMonitor;

public sealed class FunctionMapTests
{
    private static readonly JsonElement s_map = JsonDocument.Parse(
        File.ReadAllText(RepositoryRoot.Of("infra", "dfmon", "function-maps", "dfm-func-map.json"))).RootElement;

    [Fact]
    public void EveryActivity_IsCalledByTheOrchestrator()
    {
        var activities = typeof(IncidentOrchestrator).Assembly.GetTypes()
            .Where(type => type is { IsAbstract: false } && typeof(ITaskActivity).IsAssignableFrom(type) && type.IsPublic)
            .Select(type => type.Name);

        var called = s_map.GetProperty("functions").EnumerateObject()
            .Where(function => function.Value.GetProperty("bindings")[0].GetProperty("type").GetString() == "activityTrigger")
            .Where(function => function.Value.GetProperty("isCalledBy").EnumerateArray().Any(caller => caller.GetString() == IncidentOrchestrator.Name.Name))
            .Select(function => function.Name);

        called.ShouldBe(activities, ignoreOrder: true);
    }

    [Fact]
    public void Callers_AreFunctionsOfTheMap()
    {
        var functions = s_map.GetProperty("functions").EnumerateObject().ToList();
        var names = functions.Select(function => function.Name).ToHashSet();

        foreach (var function in functions)
        {
            var callers = function.Value.GetProperty("isCalledBy").EnumerateArray().Select(caller => caller.GetString()!)
                .Concat(function.Value.GetProperty("isSignalledBy").EnumerateArray().Select(caller => caller.GetProperty("name").GetString()!));
            callers.ShouldBeSubsetOf(names);
        }
    }
}
