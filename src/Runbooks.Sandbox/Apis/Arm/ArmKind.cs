using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>One kind of resource: any name that is asked for exists. To add one, derive from this and name it in <see cref="ArmKinds"/>.</summary>
internal abstract class ArmKind(string type)
{
    private readonly ConcurrentDictionary<string, JsonObject> _resources = new(StringComparer.Ordinal);

    /// <summary>In lower case.</summary>
    public string Type => type;

    public IReadOnlyDictionary<string, JsonObject> Resources => _resources;

    /// <returns>Null: there is nothing of that kind.</returns>
    public abstract IResult? Answer(ArmRequest request, ArmOperations operations);

    public void Reset() => _resources.Clear();

    /// <summary>How one of that name begins.</summary>
    protected abstract JsonObject Begin(ArmRequest request);

    protected JsonObject Resource(ArmRequest request) => _resources.GetOrAdd(request.Key, _ => Begin(request));

    protected void Keep(ArmRequest request, JsonObject changed) => _resources[request.Key] = changed;

    protected static IResult Json(JsonNode? value, int status = 200) =>
        Results.Text(value?.ToJsonString() ?? "", "application/json", statusCode: status);

    /// <summary>What is given replaces, what is not stays.</summary>
    protected static void Merge(JsonObject into, JsonObject changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is JsonObject inner && into[name] is JsonObject old)
            {
                Merge(old, inner);
            }
            else
            {
                into[name] = value?.DeepClone();
            }
        }
    }

    protected static JsonObject Envelope(ArmRequest request, string type, JsonObject properties) => new()
    {
        ["id"] = request.Root,
        ["name"] = request.Name,
        ["type"] = type,
        ["location"] = "Global",
        ["properties"] = properties,
    };
}
