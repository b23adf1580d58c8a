using System.Text.Json;

namespace Infra.Tests.DurableFunctionsMonitor;

/// <summary>What the monitor hands to a template, built from a case file.</summary>
static class MonitorModel
{
    public static object? Of(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().ToDictionary(property => property.Name, property => Of(property.Value)),
        JsonValueKind.Array => json.EnumerateArray().Select(Of).ToList(),
        JsonValueKind.String => json.TryGetDateTimeOffset(out var time) ? time : json.GetString(),
        JsonValueKind.Number => json.GetDecimal(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
