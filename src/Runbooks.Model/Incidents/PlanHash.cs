using System.Security.Cryptography;
using System.Text.Json;

namespace Runbooks.Model.Incidents;

/// <summary>One value that changes when anything that a person was shown changes.</summary>
public static class PlanHash
{
    public static string Of(Incident incident, IReadOnlyList<PlannedStep> steps) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new
        {
            incident.RunbookHash,
            incident.Target,
            Steps = steps.Select(step => new { step.Phase, step.Name, step.Action, step.Parameters, step.Identity }),
        })));

    /// <returns>What is different about a step from what was planned, in words; null when nothing is.</returns>
    public static string? Difference(PlannedStep planned, JsonElement parameters, string? identity)
    {
        if (planned.Deferred)
        {
            return null;
        }

        if (!JsonElement.DeepEquals(planned.Parameters, parameters))
        {
            return $"Step '{planned.Name}' would run with {parameters} instead of {planned.Parameters}.";
        }

        return planned.Identity is not null && planned.Identity != identity
            ? $"Step '{planned.Name}': the target is not the one that was shown ({planned.Identity}), but {identity ?? "gone"}."
            : null;
    }
}
