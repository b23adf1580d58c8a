namespace Runbooks.Publishing;

/// <summary>What is wrong with a set as a whole, on this host.</summary>
public sealed class RuleSetCheck(RunbookCatalog catalog, RuleSetContacts contacts)
{
    public IReadOnlyList<CatalogError> Errors(RuleSet set) =>
    [
        .. catalog.Check(set.Runbooks).Errors

            // A team without runbooks is looked at by nothing else.
            .Union(set.Teams.SelectMany(team => TeamFile.Read(team).Errors)).Union(contacts.Errors(set)),
        .. set.Windows is { } windows ? MaintenanceFile.Read(windows.Name, windows.Text).Errors : [],
    ];
}

/// <summary>
/// The set that a process begins with: the newest publication without errors here, else the plain files. It is chosen once,
/// since contacts are needed before anything else is loaded.
/// </summary>
public sealed class StartingRuleSet(PublishedSets sets, RuleSetCheck check, FileVersions files)
{
    /// <summary>As pages call the place as a whole, beside the files in it. What is kept under it says what was in force last.</summary>
    internal const string Name = "the rule set";

    /// <summary>A host without runbooks would ignore every alert.</summary>
    internal const string Gone = "No runbook is there any more, neither published nor as a plain file. Publish again, or put back what was there.";

    private readonly Lock _choosing = new();
    private Task<(RuleSet Set, RefusedSet? Refused)>? _chosen;

    /// <returns>The set, and the newest publication where it is not that one.</returns>
    public Task<(RuleSet Set, RefusedSet? Refused)> GetAsync(CancellationToken cancellationToken)
    {
        lock (_choosing)
        {
            return _chosen ??= ChooseAsync(cancellationToken);
        }
    }

    private async Task<(RuleSet Set, RefusedSet? Refused)> ChooseAsync(CancellationToken cancellationToken)
    {
        if (await sets.FindLogAsync(cancellationToken) is not { } log)
        {
            var plain = await sets.ReadPlainAsync(cancellationToken);
            return plain.Runbooks.Count > 0 || await files.FindLastAsync(Name, cancellationToken) is not { } last
                ? (plain, null)
                : throw new InvalidDataException($"{sets.Address}: {Gone} In force before: {last.Text}.");
        }

        RefusedSet? refused = null;
        RuleSet? newest = null;
        foreach (var publication in log.Publications)
        {
            try
            {
                var set = await sets.ReadAsync(publication, cancellationToken);
                if (check.Errors(set) is not { Count: > 0 } errors)
                {
                    return (set, refused is null ? null : refused with { Teams = newest?.Teams ?? [] });
                }

                newest ??= set;
                refused ??= new(publication, [.. errors.Select(error => error.ToString())]);
            }
            catch (InvalidDataException broken)
            {
                refused ??= new(publication, [broken.Message], IsIncomplete: true);
            }
        }

        // Nothing here is whole: what is good of the newest is better than nothing at all.
        return (newest?.InPart() ?? throw new InvalidDataException($"No publication at {sets.Address} can be read: {refused!.Errors[0]}"), refused);
    }
}
