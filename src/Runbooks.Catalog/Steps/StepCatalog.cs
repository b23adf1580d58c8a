using System.ComponentModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Runbooks.Catalog.Steps;

/// <summary>Every check and action that runbooks may name. A name given twice fails at start-up.</summary>
public sealed class StepCatalog
{
    private readonly Dictionary<string, ICheck> _checks;
    private readonly Dictionary<string, IAction> _actions;

    public StepCatalog(IEnumerable<ICheck> checks, IEnumerable<IAction> actions)
    {
        _checks = Index(checks, check => check.Name, "checks");
        _actions = Index(actions, action => action.Name, "actions");
    }

    public IReadOnlyCollection<ICheck> Checks => _checks.Values;

    public IReadOnlyCollection<IAction> Actions => _actions.Values;

    public ICheck? FindCheck(string name) => _checks.GetValueOrDefault(name);

    public IAction? FindAction(string name) => _actions.GetValueOrDefault(name);

    /// <summary>Whether one of the steps does more than tell: only then is there something to verify, to hold and to take back. An action that is not known may.</summary>
    public bool ChangeSomething(IEnumerable<StepSpec> specs) => specs.Any(spec => FindAction(spec.Do) is not { TellsOnly: true });

    /// <summary>Whether one of the steps is neither a message nor done by a person.</summary>
    public bool ActByThemselves(IEnumerable<StepSpec> specs) => specs.Any(spec => FindAction(spec.Do) is not ({ TellsOnly: true } or { IsManual: true }));

    /// <summary>What of these checks looks back the longest; null where none of them does.</summary>
    public (CheckSpec Check, TimeSpan Back)? LongestLookBack(IEnumerable<CheckSpec> specs) =>
        specs.Select(spec => (spec, FindCheck(spec.Check)?.LookBackOf(spec.With))).Where(one => one.Item2 is not null).OrderByDescending(one => one.Item2)
            .Select(one => ((CheckSpec, TimeSpan)?)(one.spec, one.Item2!.Value)).FirstOrDefault();

    private static Dictionary<string, T> Index<T>(IEnumerable<T> items, Func<T, string> name, string kind)
    {
        var index = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (!index.TryAdd(name(item), item))
            {
                throw new InvalidOperationException($"Two {kind} are called '{name(item)}': {index[name(item)]!.GetType()} and {item!.GetType()}.");
            }
        }

        return index;
    }
}

public static class StepServices
{
    /// <summary>The built-in check and actions, and the catalog of all that are registered.</summary>
    public static IServiceCollection AddRunbookSteps(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ICheck, AlwaysCheck>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAction, NoteAction>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAction, ManualAction>());
        services.TryAddSingleton<StepCatalog>();
        return services;
    }
}

/// <summary>What every host has beside its integrations; they touch nothing outside, so they need no stand-in anywhere.</summary>
public static class BuiltInSteps
{
    public const string Always = "always";
    public const string Note = "note";
    public const string Person = "person";

    /// <summary>How a step is taken back that only tells.</summary>
    public const string NothingToBringBack = "Nothing to bring back.";
}

/// <summary>A check that finds what it is told to: for trying a runbook, and for one that trusts its alert.</summary>
internal sealed class AlwaysCheck() : Check<AlwaysCheck.Parameters>(BuiltInSteps.Always, "Finds what the runbook says, without looking at anything.")
{
    public sealed record Parameters
    {
        [Description("The finding.")]
        public required Verdict Finding { get; init; }
    }

    protected override Task<CheckResult> AskAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new CheckResult(parameters.Finding, "As the runbook says; nothing was looked at."));
}

/// <summary>Writes a line into the incident's timeline: what a person has to do, or to know.</summary>
internal sealed class NoteAction() : RunbookAction<NoteAction.Parameters>(BuiltInSteps.Note, "Writes a line into the incident's timeline, and touches nothing.")
{
    public sealed record Parameters
    {
        [ForPeople(2000), Description("The line.")]
        public required string Text { get; init; }
    }

    /// <summary>There is nothing to bring back, so a note never keeps a runbook from being reversible.</summary>
    public override bool Reversible => true;

    public override bool TellsOnly => true;

    protected override Task<Preparation> PrepareAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new Preparation
        {
            PlannedEffect = $"Note: {parameters.Text}",
            Undo = BuiltInSteps.NothingToBringBack,
            UndoState = JsonSerializer.SerializeToElement(new { }),
        });

    protected override Task<ActionResult> ApplyAsync(Parameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult(parameters.Text));

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult("Left the note as it is."));
}
