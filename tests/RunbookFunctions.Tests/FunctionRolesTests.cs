using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Web.Access;
using TestKit;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace RunbookFunctions.Tests;

/// <summary>Both hosts ask for the same role at the same address.</summary>
public sealed class FunctionRolesTests
{
    private static readonly Dictionary<Role, string> s_keys = new()
    {
        [Role.Sender] = "sEnd3r-9d2b7Q4Xk8Tn1vR5mZ", [Role.Viewer] = "vIew3r-2b9Q7dXk4Tn8vR1mZs", [Role.Operator] = "oPer4t-8Tn4Xk9d2b7Q1vR5mZ", [Role.Admin] = "aDm1n5-5mZ1vR8Tn4Xk9d2b7Q",
    };

    [Fact]
    public async Task EveryFunction_OpensToTheRolesThatTheSameAddressOpensToSelfHosted()
    {
        await using var app = Build();
        var routes = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().ToDictionary(
            endpoint => $"{endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]} {endpoint.RoutePattern.RawText}", endpoint => endpoint.Metadata.GetMetadata<NeededRole>());
        var asked = 0;
        foreach (var (function, trigger) in Functions())
        {
            var address = trigger.Route!.StartsWith("{ignored", StringComparison.Ordinal) ? "/" : $"/{trigger.Route}";
            if (address.StartsWith("/api/secure/", StringComparison.Ordinal))
            {
                continue; // A token, and no key.
            }

            var needed = routes.ShouldContainKeyAndGet($"{trigger.Methods![0].ToUpperInvariant()} {address}");
            foreach (var (role, key) in s_keys.Where(_ => needed is not null))
            {
                var status = await CallAsync(app, function, needed!.IsPage, trigger.Methods[0], address, key);
                (status == StatusCodes.Status403Forbidden).ShouldBe(!new Actor(role, "").May(needed.Role), $"{role}: {address}");
                asked++;
            }
        }

        asked.ShouldBeGreaterThan(100);
    }

    [Theory]
    [InlineData("alertmanager", StatusCodes.Status400BadRequest)]
    [InlineData("grafana", StatusCodes.Status403Forbidden)]
    public async Task SenderWhoseSourcesAreSet_PostsForNoOther(string source, int expected)
    {
        await using var app = Build(new Dictionary<string, string?> { ["ApiKeys:Named:Sender:Sources:0"] = "alertmanager" });
        var intake = Functions().Single(one => one.Trigger.Route == "api/alerts/{source}").Function;

        (await CallAsync(app, intake, isPage: false, "post", $"/api/alerts/{source}", s_keys[Role.Sender], source)).ShouldBe(expected, "an empty post that is let in cannot be understood");
    }

    /// <summary>To a method that no trigger names, the host of Azure Functions answers 404, which clients of the protocol take for a dead server.</summary>
    [Theory]
    [InlineData("get")]
    [InlineData("delete")]
    public async Task AssistantThatAsksForAStream_IsToldThatThereIsNone(string method)
    {
        await using var app = Build(new Dictionary<string, string?> { ["Mcp:Enabled"] = "true" });
        var (function, trigger) = Functions().Single(one => one.Trigger.Route == "mcp");

        trigger.Methods!.ShouldContain(method);
        (await CallAsync(app, function, isPage: false, method, "/mcp", s_keys[Role.Viewer])).ShouldBe(StatusCodes.Status405MethodNotAllowed);
    }

    private static IEnumerable<(MethodInfo Function, HttpTriggerAttribute Trigger)> Functions() =>
        from type in typeof(OrchestrationFunctions).Assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static)
        where method.GetCustomAttribute<FunctionAttribute>() is not null
        from parameter in method.GetParameters()
        let trigger = parameter.GetCustomAttribute<HttpTriggerAttribute>()
        where trigger is not null
        select (method, trigger);

    private static async Task<int?> CallAsync(WebApplication app, MethodInfo function, bool isPage, string method, string path, string key, string argument = "none")
    {
        var context = new DefaultHttpContext { RequestServices = app.Services };
        (context.Request.Method, context.Request.Path) = (method.ToUpperInvariant(), path);
        if (isPage)
        {
            context.Request.Headers.Authorization = $"Basic {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"kay:{key}"))}";
        }
        else
        {
            context.Request.Headers["x-functions-key"] = key;
        }

        object?[] arguments = [.. function.GetParameters().Select(parameter => parameter.ParameterType == typeof(HttpRequest) ? context.Request : parameter.ParameterType == typeof(string) ? (object)argument : null)];
        var instance = function.IsStatic ? null : ActivatorUtilities.CreateInstance(app.Services, function.DeclaringType!);
        return (await (Task<IResult>)function.Invoke(instance, arguments)! as IStatusCodeHttpResult)?.StatusCode;
    }

    private static WebApplication Build(Dictionary<string, string?>? settings = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(s_keys.SelectMany(known => new Dictionary<string, string?>
        {
            [$"ApiKeys:Named:{known.Key}:Key"] = known.Value, [$"ApiKeys:Named:{known.Key}:Role"] = $"{known.Key}",
        }).Append(new("LinkSigning:Keys:0:Id", "k1")).Append(new("LinkSigning:Keys:0:Secret", ApprovalOffice.LinkSecret("k1"))).Concat(settings ?? []));
        var channel = new ScriptedChannel();
        builder.Services
            .AddSingleton(TimeProvider.System)
            .AddSingleton<IIncidentStore, InMemoryIncidentStore>().AddSingleton<IEvidenceStore, InMemoryEvidenceStore>().AddSingleton<ISharedState, InMemorySharedState>()
            .AddSingleton<IIncidentEngine>(new RecordingEngine(TimeProvider.System))
            .AddSingleton<LoadedRunbooks>(() => [Some.Runbook()])
            .AddSingleton(ContactBook.EveryoneOn(channel.Channel)).AddSingleton<INotifier>(channel)
            .AddSingleton<DurableClients>()
            .AddRunbooks().AddRunbooksWeb().AddPlatformSignIn();
        var app = builder.Build();
        app.MapRunbooks();
        return app;
    }
}

file static class Routes
{
    public static NeededRole? ShouldContainKeyAndGet(this Dictionary<string, NeededRole?> routes, string route)
    {
        routes.ShouldContainKey(route);
        return routes[route];
    }
}
