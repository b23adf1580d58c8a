using System.Text.Json;

namespace Runbooks.Model.Definition;

/// <summary>One diagnosis question of a runbook.</summary>
/// <param name="Name">Unique in the runbook; findings carry it.</param>
/// <param name="Ask">The question in words.</param>
/// <param name="Check">The registered check that answers it.</param>
/// <param name="With">Its parameters, a JSON object whose strings may be templates.</param>
/// <param name="Timeout">After this long without an answer the finding is unknown.</param>
public sealed record CheckSpec(string Name, string Ask, string Check, JsonElement With, TimeSpan Timeout)
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(20);
}
