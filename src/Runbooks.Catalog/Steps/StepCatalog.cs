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
