using System.Text.Json;

namespace Runbooks.Integrations.Metrics;

/// <summary>Reads the parameters of a measuring check as the runbook's file has them, before any template is filled.</summary>
internal static class WithText
{
    public static string? Of(JsonElement with, string name) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <returns>Null when a template makes it up.</returns>
    public static FailingWhen? Failing(JsonElement with) => FailingWhen.TryParse(Of(with, "failing"), null, out var failing) ? failing : null;

    /// <summary>Whether the file leaves it to the default what it means that nothing is found.</summary>
    public static bool LeavesEmptyOpen(JsonElement with) => Of(with, "whenEmpty") is null && Failing(with) is not { IsAbsent: true };
}
