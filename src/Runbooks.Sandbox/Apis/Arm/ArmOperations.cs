using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>Long-running operations: accepted at once, done a little later, and failing then when the fault says so.</summary>
internal sealed class ArmOperations(FaultBoard faults, PracticeRangeOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Operation> _operations = new(StringComparer.Ordinal);
    private int _last;

    /// <param name="effect">What happens to the resource when it ends well; its result is the operation's output.</param>
    public IResult Accept(ArmRequest request, Func<JsonNode?> effect)
    {
        var where = $"{request.Method} {request.Http.Path}";
        var fails = faults.Take(fault => fault.Api == "arm" && fault.Kind == Fault.LroFails
            && (fault.On is null || where.Contains(fault.On, StringComparison.OrdinalIgnoreCase))) is not null;
        var id = Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture);
        _operations[id] = new Operation(time.GetUtcNow() + options.OperationTakes, fails, new Lazy<JsonNode?>(effect));

        var response = request.Http.HttpContext.Response;
        response.Headers["Azure-AsyncOperation"] = $"{request.Http.Scheme}://{request.Http.Host}/arm/_operations/{id}?api-version=2024-01-01";
        response.Headers.RetryAfter = Wait;
        return Results.StatusCode(202);
    }

    public IResult Show(HttpRequest request, string id)
    {
        if (!_operations.TryGetValue(id, out var operation))
        {
            return Results.StatusCode(404);
        }

        if (time.GetUtcNow() < operation.Due)
        {
            request.HttpContext.Response.Headers.RetryAfter = Wait;
            return Results.Json(new { name = id, status = "InProgress" });
        }

        return operation.Fails
            ? Results.Json(new { name = id, status = "Failed", error = new { code = "InternalOperationError", message = "The practice range was told to let this operation fail." } })
            : Results.Text(
                new JsonObject { ["name"] = id, ["status"] = "Succeeded", ["properties"] = new JsonObject { ["output"] = operation.Effect.Value?.DeepClone() } }.ToJsonString(),
                "application/json");
    }

    public void Reset() => _operations.Clear();

    private string Wait => Math.Ceiling(options.OperationTakes.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private sealed record Operation(DateTimeOffset Due, bool Fails, Lazy<JsonNode?> Effect);
}
