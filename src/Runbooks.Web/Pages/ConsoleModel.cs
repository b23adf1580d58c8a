namespace Runbooks.Web.Pages;

/// <param name="Open">The most urgent first: what waits for an answer, then the worst impact.</param>
/// <param name="Filter">What the reader asked for, as it stands in the address.</param>
/// <param name="More">The address of the next page; null at the end.</param>
/// <param name="TryThis">A line for whoever has no incidents yet; null where trying would touch something real.</param>
public sealed record ConsoleModel(
    IReadOnlyList<IncidentSummary> Open,
    IReadOnlyList<IncidentSummary> Closed,
    ConsoleFilter Filter,
    IReadOnlyList<string> Runbooks,
    string? More,
    string? TryThis,
    DateTimeOffset Now)
{
    /// <summary>Lines of one section on the first page; a page stays small however much there is.</summary>
    public const int Shown = 15;

    /// <summary>What keeps runbooks from acting at the moment: the kill switch, open breakers.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Ended with something for a person to do that nobody has acknowledged; whatever the filter is.</summary>
    public IReadOnlyList<IncidentSummary> NeedsPerson { get; init; } = [];

    /// <summary>More may need a person than were read.</summary>
    public bool NeedsPersonIsCut { get; init; }

    public string NeedsPersonCount => $"{NeedsPerson.Count}{(NeedsPersonIsCut ? " or more" : "")}";

    /// <summary>What the automation has changed and could take back.</summary>
    public IReadOnlyList<IncidentSummary> Changes { get; init; } = [];

    /// <summary>More are open than were read.</summary>
    public bool OpenIsCut { get; init; }

    public Visitor Visitor { get; init; } = new(null, null);

    /// <summary>How many a responder owns: they stand under open until they are closed.</summary>
    public int Owned { get; init; }

    /// <summary>Whether anything is open or owned by a responder, whatever the filter is.</summary>
    public bool AnyOpen { get; init; }

    /// <summary>How many there are in each state; null where the store cannot count.</summary>
    public IReadOnlyDictionary<IncidentState, int>? Counts { get; init; }

    /// <summary>How many questions are open, whatever the filter is.</summary>
    public int Asked { get; init; }

    public int Waiting => Filter is { State: null, Runbook: null, Text: null } ? Asked : Open.Count(item => item.Question is not null);

    /// <summary>A later page of everything lists what ended, and is no filter.</summary>
    public int OpenCount => (Filter.State is null ? CountOf("open") : null) ?? Open.Count;

    /// <summary>How many incidents a filter shows; null where nobody has counted.</summary>
    public int? CountOf(string? word) => word switch
    {
        _ when Counts is null || Filter.Runbook is not null || Filter.Text is not null => null,
        ConsoleFilter.NeedsAPerson => NeedsPersonIsCut ? null : NeedsPerson.Count,
        null => Counts.Values.Sum(),
        "open" => Owned + Counts.Where(count => !count.Key.IsFinal()).Sum(count => count.Value),
        "final" => Counts.Where(count => count.Key.IsFinal()).Sum(count => count.Value),
        _ => StateText.TryParse(word, out var state) ? Counts.GetValueOrDefault(state) : null,
    };

    /// <summary>What waits for an answer, then the rest; in each the worst impact first, then what expires first, then the newest.</summary>
    public static IReadOnlyList<IncidentSummary> MostUrgentFirst(IEnumerable<IncidentSummary> items) =>
        [.. items.OrderByDescending(item => item.Question is not null).ThenByDescending(item => item.Severity).ThenBy(item => item.ExpiresAt).ThenByDescending(item => item.OpenedAt)];
}

/// <param name="State">A state's word, <c>open</c>, <c>final</c> or <c>needsPerson</c>; null for everything.</param>
/// <param name="Text">Words that are looked for.</param>
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

/// <summary>The first words of the console. "All quiet" is a promise: nothing waits for a person, failed and unanswered ones included.</summary>
internal static class ConsoleHeading
{
    public static string Of(ConsoleModel model)
    {
        var asked = (string?[])[
            model.Waiting > 0 ? $"{(model.OpenIsCut ? "At least " : "")}{CountText.Format(model.Waiting, "question")} waiting for an answer" : null,
            model.NeedsPerson.Count > 0 ? $"{model.NeedsPersonCount} {(model is { NeedsPerson.Count: 1, NeedsPersonIsCut: false } ? "incident needs" : "incidents need")} a person" : null,
        ];
        return string.Join(", ", asked.OfType<string>()) is { Length: > 0 } words ? words
            : model.OpenCount > 0 ? CountText.Format(model.OpenCount, "open incident")
            : model.AnyOpen ? "Nothing open fits this filter"
            : model.Changes.Count > 0 ? $"{CountText.Format(model.Changes.Count, "incident")} left something changed"
            : "All quiet";
    }
}

/// <summary>What the console says that depends on where it runs.</summary>
public sealed class ConsoleOptions
{
    public const string SectionName = "Console";

    /// <summary>The line to try when there are no incidents yet. Unless it is set only the one-machine host in practice has one.</summary>
    public string? TryThis { get; set; }

    /// <summary>The name that forms begin with where nobody signs in; whoever it is may change it.</summary>
    public string? Name { get; set; }
}

/// <summary>Whether the integrations act on a sandbox: every page says so. No setting, since only the host that has one knows.</summary>
public sealed record PracticeMode(bool On);
