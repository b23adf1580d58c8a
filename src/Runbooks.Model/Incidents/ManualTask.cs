namespace Runbooks.Model.Incidents;

/// <summary>Work by hand: a step with <c>do: person</c>, or undoing one.</summary>
/// <param name="Instruction">In full. The gate's question may be shortened.</param>
/// <param name="Items">The checklist. Empty if there is only the instruction.</param>
/// <param name="Undo">How a person undoes it. Null if nobody can.</param>
/// <param name="Undoes">It is about undoing an earlier step.</param>
public sealed record ManualTask(
    string Step, string Instruction, IReadOnlyList<TaskItem> Items, string? Undo = null, bool Undoes = false) : Evolving
{
    [JsonIgnore]
    public int Left => Items.Count(item => item.DoneBy is null);

    /// <summary>Counted from 1. Null if there is no checklist.</summary>
    [JsonIgnore]
    public IReadOnlyList<int>? ItemsLeft =>
        Items.Count == 0 ? null : [.. Items.Index().Where(item => item.Item.DoneBy is null).Select(item => item.Index + 1)];

    [JsonIgnore]
    public bool IsBegun => Items.Any(item => item.DoneBy is not null);

    /// <summary>Why this answer cannot be recorded. Null if it can.</summary>
    public DecisionResult? WhyNotCounted(Decision decision) => decision switch
    {
        { Verb: DecisionVerb.TakeOver } when Undoes =>
            new(
                DecisionStatus.NotAllowed,
                "This cannot be taken over: the automation takes back the rest all the same. "
                + "Say that it is taken back, or that it could not be. Nothing was recorded."),
        { Items: { Count: > 0 } given } when given.Any(item => item < 1 || item > Items.Count) =>
            Incomplete(Items.Count == 0
                ? "It has no checklist. Nothing was recorded."
                : $"Its checklist has the items 1 to {Items.Count} and no other. Nothing was recorded."),
        { Verb: DecisionVerb.Reject } when string.IsNullOrWhiteSpace(decision.Reason) =>
            Incomplete("Say why it could not be done. Nothing was recorded."),
        { Verb: not DecisionVerb.Approve } => null,
        _ when Items.Count == 0 => null,
        { Items: not { Count: > 0 } } => Incomplete(
            $"Say which items are done: {CountText.Format(Left, "item")} of {Items.Count} {CountText.Are(Left)} left. Nothing was recorded."),
        _ => decision.Items.All(item => Items[item - 1].DoneBy is not null)
            ? new(DecisionStatus.AlreadyCounted, string.Join(" ", decision.Items.Select(item => Ticked(Items[item - 1], decision.At))))
            : null,
    };

    /// <summary>Ticks the items of the answer, each for the first person who said so. A rejection may tick items too.</summary>
    public ManualTask Tick(Decision decision) => decision is { Items: { } done }
        ? this with { Items = [.. Items.Select((item, at) => item.DoneBy is null && done.Contains(at + 1) ? item with { DoneBy = decision.Person, DoneAt = decision.At } : item)] }
        : this;

    private static string Ticked(TaskItem item, DateTimeOffset from) =>
        $"{item.DoneBy} ticked '{item.Text}' at {GateText.Clock(item.DoneAt!.Value, from)}.";

    private static DecisionResult Incomplete(string why) => new(DecisionStatus.Incomplete, why);
}

/// <param name="DoneBy">Null while nobody said that it is done.</param>
public sealed record TaskItem(string Text, string? DoneBy = null, DateTimeOffset? DoneAt = null) : Evolving;

/// <summary>The same on every page, card and answer.</summary>
public static class ManualTaskText
{
    /// <summary>Follows a person's name.</summary>
    public static string Past(ManualTask task, DecisionVerb verb) => (verb, task.Undoes) switch
    {
        (DecisionVerb.Approve, false) => "did this",
        (DecisionVerb.Approve, true) => "took this back",
        (DecisionVerb.Reject, false) => "could not do this",
        (DecisionVerb.Reject, true) => "could not take this back",
        _ => "took over",
    };

    /// <summary>Null if the usual word fits.</summary>
    public static string? Brief(Gate gate) => gate.Outcome switch
    {
        GateOutcome.Approved => gate.Task!.Undoes ? "Taken back" : "Done",
        GateOutcome.Rejected => "Could not be done",
        GateOutcome.Pending => "Waiting for a person",
        _ => null,
    };

    /// <param name="task">After the answer was recorded.</param>
    public static string Said(ManualTask task, Decision decision)
    {
        var ticked = string.Join("; ", task.Items.Index()
            .Where(one => decision.Items?.Contains(one.Index + 1) == true
                && one.Item.DoneBy == decision.Person
                && one.Item.DoneAt == decision.At)
            .Select(one => one.Item.Text));
        var reason = decision.Reason is { Length: > 0 } given ? given : null;
        return (decision.Verb, ticked) switch
        {
            (DecisionVerb.Approve, { Length: > 0 }) =>
                $"{decision.Person} ticked (by {decision.Via}): {ticked}.{(reason is null ? "" : $" {reason}")}",
            (_, { Length: > 0 }) =>
                $"{decision.Person} ticked (by {decision.Via}): {ticked}; "
                + $"and {Past(task, decision.Verb)}{(reason is null ? "." : $": {reason}")}",
            _ => $"{decision.Person} {Past(task, decision.Verb)} (by {decision.Via}){(reason is null ? "." : $": {reason}")}",
        };
    }

    public static string Left(ManualTask task) =>
        $"{CountText.Format(task.Left, "item")} left: "
        + $"{string.Join("; ", task.Items.Where(item => item.DoneBy is null).Select(item => item.Text))}.";

    public static string Without(Gate gate) => gate switch
    {
        { Task.Undoes: true } => "it counts as not taken back, and a person is paged",
        { Phase: Phase.Resolution } => "the rest of the resolution does not run",
        { IsBeforeFirstStep: true } => "the steps after it do not run",
        _ => "the steps after it do not run, what was done before it is undone where it can be",
    };

    /// <summary>For the step's record.</summary>
    public static string Outcome(Gate gate)
    {
        var (task, last) = (gate.Task!, gate.Decisions is [.., var latest] ? latest : null);
        var at = gate.ClosedAt is { } closed ? $" at {GateText.Clock(closed, gate.OpenedAt)}" : "";
        var why = last?.Reason is { Length: > 0 } reason ? $" {EndingText.Sentence(reason)}" : "";
        return gate.Outcome switch
        {
            GateOutcome.Approved when task.Undoes => $"{People(gate)} took it back{at}.{why}",
            GateOutcome.Approved => $"{People(gate)} did it{at}.{why}",
            GateOutcome.Rejected => $"{last!.Person} could not {(task.Undoes ? "take it back" : "do it")}{at}:{why}{Done(task)}",
            GateOutcome.TakenOver => $"{last!.Person} took over{at}; nobody said whether it was {Word(task)}.{Done(task)}",
            GateOutcome.Expired => $"Nobody said in time whether it was {Word(task)}.{Done(task)}",
            _ => $"Nobody had said whether it was {Word(task)} when it was stopped.{Done(task)}",
        };
    }

    public static string People(Gate gate) =>
        string.Join(" and ", gate.Decisions
            .Where(decision => decision.Verb == DecisionVerb.Approve)
            .Select(decision => decision.Person)
            .Distinct(StringComparer.OrdinalIgnoreCase));

    /// <param name="from">When the reader was told.</param>
    public static string Line(TaskItem item, int number, DateTimeOffset from) =>
        $"{(item.DoneBy is null ? "☐" : "☑")} {number}. "
        + $"{item.Text}{(item.DoneBy is { } by ? $" ({by}, {GateText.Clock(item.DoneAt!.Value, from)})" : "")}";

    private static string Word(ManualTask task) => task.Undoes ? "taken back" : "done";

    private static string Done(ManualTask task) => task.IsBegun
        ? " Done before: "
            + $"{string.Join("; ", task.Items.Where(item => item.DoneBy is not null).Select(item => $"{item.Text} ({item.DoneBy})"))}."
        : "";
}
