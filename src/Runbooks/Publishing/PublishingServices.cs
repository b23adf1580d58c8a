using Runbooks.Intake;

namespace Runbooks.Publishing;

public static class PublishingServices
{
    public static IServiceCollection AddRuleSet(
        this IServiceCollection services,
        Func<IServiceProvider, IRuleSetPlace> place,
        Func<IServiceProvider, RuleSetContacts> contacts,
        Func<IServiceProvider, RuleSetOptions>? options = null) => services
        .AddSingleton<LoadedRunbooks>(provider => () => provider.GetRequiredService<RunbookCatalog>().Current)
        .AddSingleton(place)
        .AddSingleton(contacts)
        .AddSingleton(options ?? (_ => new RuleSetOptions(RuleSetOptions.Usual)))
        .AddSingleton<RuleSetCheck>()
        .AddSingleton<RuleSetLoader>()
        .AddSingleton<PublishedSets>()
        .AddSingleton<StartingRuleSet>()
        .AddSingleton<RuleSetRefresh>()
        .AddHostedService(provider => provider.GetRequiredService<RuleSetRefresh>());

    /// <summary>The contacts of the set that the process begins with, for <see cref="ContactsServices.AddContacts"/>.</summary>
    /// <param name="other">The common contacts, where another file has them.</param>
    public static ContactFiles StartingContacts(this IServiceProvider provider, RunbookFile? other = null)
    {
        // The container makes services synchronously; this one is made once, before the first message.
        var people = provider.GetRequiredService<StartingRuleSet>().GetAsync(CancellationToken.None).GetAwaiter().GetResult().Set.People;
        return other is null ? people : people with { Common = other, IsCommonApart = true };
    }
}

/// <param name="Every">How often to check for a publication or changed plain files. Polled, since a network drive or a switched link sends no event.</param>
public sealed record RuleSetOptions(TimeSpan Every)
{
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(30);
}

public abstract class RuleSetContacts
{
    /// <summary>The contacts that runbooks are read with; null where there are none.</summary>
    public abstract ContactFiles? InForce { get; }

    /// <summary>Whether the contacts may change while the set stays the same.</summary>
    public virtual bool StandElsewhere => false;

    public abstract void Take(RuleSet set);

    public abstract IReadOnlyList<CatalogError> Errors(RuleSet set);
}

/// <summary>For practice and development, where everybody is reached in one place, whatever the set says.</summary>
public sealed class NoContacts : RuleSetContacts
{
    public override ContactFiles? InForce => null;

    public override void Take(RuleSet set)
    {
    }

    public override IReadOnlyList<CatalogError> Errors(RuleSet set) => [];
}

/// <param name="services">
/// Resolved late: the contacts need the set that the process begins with, and that set is checked with this object.
/// </param>
public sealed class OwnContacts(IServiceProvider services) : RuleSetContacts
{
    public override ContactFiles? InForce => services.GetRequiredService<CurrentContacts>().Book.Files;

    public override void Take(RuleSet set) => services.GetRequiredService<ContactsReload>().Take(set.Contacts, set.Teams);

    public override IReadOnlyList<CatalogError> Errors(RuleSet set) =>
        set is { Contacts: null, Teams.Count: 0 } ? [] : services.GetRequiredService<ContactsFile>().Read(set.People).Errors;
}

/// <summary>Another file has the common contacts; the set has those of teams.</summary>
/// <param name="services"><inheritdoc cref="OwnContacts" path="/param[@name='services']"/></param>
    /// <param name="read">Returns null while that file cannot be read.</param>
public sealed class ContactsElsewhere(IServiceProvider services, Func<RunbookFile?> read) : RuleSetContacts
{
    public override ContactFiles? InForce => services.GetRequiredService<CurrentContacts>().Book.Files;

    public override bool StandElsewhere => true;

    public override void Take(RuleSet set) => services.GetRequiredService<ContactsReload>().TakeTeams(set.Teams);

    /// <summary>
    /// Errors of the other file do not count against the set. While it cannot be read, the teams' files are checked only by themselves.
    /// </summary>
    public override IReadOnlyList<CatalogError> Errors(RuleSet set)
    {
        if (set.Teams.Count == 0)
        {
            return [];
        }

        var reader = services.GetRequiredService<ContactsFile>();
        return read() is { } other && reader.Read(new ContactFiles(other, [])).Errors.Count == 0
            ? reader.Read(new ContactFiles(other, set.Teams)).Errors
            : reader.Read(new ContactFiles(null, set.Teams), withSettings: false).Errors;
    }
}
