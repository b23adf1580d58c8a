using Runbooks.Model.Storage;

namespace Runbooks.Web.Pages;

/// <param name="Filter">What the reader asked for, as it stands in the address.</param>
/// <param name="More">The address of the next page; null at the end.</param>
public sealed record ConsoleModel(
    IReadOnlyList<IncidentSummary> Open,
    IReadOnlyList<IncidentSummary> Closed,
    ConsoleFilter Filter,
    IReadOnlyList<string> Runbooks,
    string? More,
    string TryThis,
    DateTimeOffset Now)
{
    /// <summary>What keeps runbooks from acting at the moment: the kill switch, open breakers.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <param name="State">A state's word, <c>open</c> or <c>final</c>; null for everything.</param>
public sealed record ConsoleFilter(string? State, string? Runbook, string? After)
{
    public bool IsEmpty => State is null && Runbook is null && After is null;

    internal static string Address(string? state, string? runbook, string? after)
    {
        var parts = new[] { ("state", state), ("runbook", runbook), ("after", after) }
            .Where(part => part.Item2 is not null)
            .Select(part => $"{part.Item1}={Uri.EscapeDataString(part.Item2!)}")
            .ToList();
        return parts.Count == 0 ? "/" : $"/?{string.Join('&', parts)}";
    }
}
