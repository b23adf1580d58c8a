namespace Runbooks.Web.Pages;

/// <param name="Open">The most urgent first: what waits for an answer, then the worst impact.</param>
/// <param name="More">The address of the next page; null at the end.</param>
/// <param name="TryThis">A line to try while there are no incidents; null where trying would touch something real.</param>
public sealed record ConsoleModel(
    IReadOnlyList<IncidentSummary> Open,
    IReadOnlyList<IncidentSummary> Closed,
    ConsoleFilter Filter,
    IReadOnlyList<string> Runbooks,
    string? More,
    string? TryThis,
    DateTimeOffset Now)
{
    public const int Shown = 15;

    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Why nothing can be recorded or carried on at present; null where it can.</summary>
    public string? Trouble { get; init; }

    /// <summary>Ended ones with something left to do that nobody has acknowledged, under every filter.</summary>
    public IReadOnlyList<IncidentSummary> NeedsPerson { get; init; } = [];

    /// <summary>There are more that need a person than were read.</summary>
    public bool NeedsPersonIsCut { get; init; }

    public string NeedsPersonCount => $"{NeedsPerson.Count}{(NeedsPersonIsCut ? " or more" : "")}";

    public IReadOnlyList<IncidentSummary> Changes { get; init; } = [];

    /// <summary>There are more open ones than were read.</summary>
    public bool OpenIsCut { get; init; }

    public Visitor Visitor { get; init; } = new(null, null);

    /// <summary>How many a responder owns: they are listed as open until they are closed.</summary>
    public int Owned { get; init; }

    /// <summary>Whether any is open or owned by a responder, under every filter.</summary>
    public bool AnyOpen { get; init; }

    /// <summary>The number in each state; null where the store cannot count.</summary>
    public IReadOnlyDictionary<IncidentState, int>? Counts { get; init; }

    public int Asked { get; init; }

    public int Waiting => Filter is { State: null, Runbook: null, Text: null }
        ? Asked
        : Open.Count(item => item.Question is not null);

    /// <summary>A later page of everything lists ended incidents, and is not a filter.</summary>
    public int OpenCount => (Filter.State is null ? CountOf("open") : null) ?? Open.Count;

    /// <summary>The number that a filter shows; null where it is not counted.</summary>
    public int? CountOf(string? word) => word switch
    {
        _ when Counts is null || Filter.Runbook is not null || Filter.Text is not null => null,
        ConsoleFilter.NeedsAPerson => NeedsPersonIsCut ? null : NeedsPerson.Count,
        null => Counts.Values.Sum(),
        "open" => Owned + Counts.Where(count => !count.Key.IsFinal()).Sum(count => count.Value),
        "final" => Counts.Where(count => count.Key.IsFinal()).Sum(count => count.Value),
        _ => StateText.TryParse(word, out var state) ? Counts.GetValueOrDefault(state) : null,
    };

    /// <summary>First those that wait for an answer. In both parts the worst impact first, then what expires first, then the newest.</summary>
    public static IReadOnlyList<IncidentSummary> MostUrgentFirst(IEnumerable<IncidentSummary> items) =>
    [
        .. items
            .OrderByDescending(item => item.Question is not null)
            .ThenByDescending(item => item.Severity)
            .ThenBy(item => item.ExpiresAt)
            .ThenByDescending(item => item.OpenedAt),
    ];
}

/// <param name="State">A state's word, <c>open</c>, <c>final</c> or <c>needsPerson</c>; null for everything.</param>
public sealed record ConsoleFilter(string? State, string? Runbook, string? Text, string? After)
{
    public const string NeedsAPerson = "needsPerson";

    public bool IsEmpty => State is null && Runbook is null && Text is null && After is null;

    public string AddressOf(string? state) => (this with { State = state }).AddressAt(null);

    public string AddressAt(string? after)
    {
        var parts = new[] { ("state", State), ("runbook", Runbook), ("q", Text), ("after", after) }
            .Where(part => part.Item2 is not null)
            .Select(part => $"{part.Item1}={Uri.EscapeDataString(part.Item2!)}")
            .ToList();
        return parts.Count == 0 ? "/" : $"/?{string.Join('&', parts)}";
    }
}

/// <summary>The first words of the console. "All quiet" promises that nothing waits for a person, failed and unanswered ones included.</summary>
internal static class ConsoleHeading
{
    public static string Of(ConsoleModel model)
    {
        if (model.Trouble is not null)
        {
            return "The runbook service did not work when it was last looked at";
        }

        var atLeast = model.OpenIsCut ? "At least " : "";
        var need = model is { NeedsPerson.Count: 1, NeedsPersonIsCut: false } ? "incident needs" : "incidents need";
        var asked = Lines.Of(
            model.Waiting > 0 ? $"{atLeast}{CountText.Format(model.Waiting, "question")} waiting for an answer" : null,
            model.NeedsPerson.Count > 0 ? $"{model.NeedsPersonCount} {need} a person" : null);
        if (asked.Count > 0)
        {
            return string.Join(", ", asked);
        }

        if (model.OpenCount > 0)
        {
            return CountText.Format(model.OpenCount, "open incident");
        }

        if (model.AnyOpen)
        {
            return "Nothing open fits this filter";
        }

        return model.Changes.Count > 0 ? $"{CountText.Format(model.Changes.Count, "incident")} left something changed" : "All quiet";
    }
}

public sealed class ConsoleOptions
{
    public const string SectionName = "Console";

    /// <summary>A line to try while there are no incidents. By default only the one-machine host in practice has one.</summary>
    public string? TryThis { get; set; }

    /// <summary>The name that is filled into forms where nobody signs in. The reader may change it.</summary>
    public string? Name { get; set; }
}

/// <summary>Whether the integrations act on a sandbox; every page says so. Not a setting, since only the host that has a sandbox knows.</summary>
public sealed record PracticeMode(bool On);
