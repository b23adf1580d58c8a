using Runbooks.Intake;

namespace Runbooks.Publishing;

public static class PublishingServices
{
    /// <summary>The rule set of a place that publications go to, or that has plain files; taken over while the host runs.</summary>
    public static IServiceCollection AddRuleSet(
        this IServiceCollection services, Func<IServiceProvider, IRuleSetPlace> place, Func<IServiceProvider, RuleSetContacts> contacts, Func<IServiceProvider, RuleSetOptions>? options = null) => services
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

    /// <summary>The contacts of the rule set that the process begins with, for <see cref="ContactsServices.AddContacts"/>.</summary>
    /// <param name="other">The contacts of all, where another file says who they are.</param>
    public static ContactFiles StartingContacts(this IServiceProvider provider, RunbookFile? other = null)
    {
        // The container makes services synchronously; this one is made once, before the first message.
        var people = provider.GetRequiredService<StartingRuleSet>().GetAsync(CancellationToken.None).GetAwaiter().GetResult().Set.People;
        return other is null ? people : people with { Common = other, IsCommonApart = true };
    }
}

/// <summary>How a host reads its rule set.</summary>
/// <param name="Every">How often it is looked at whether something was published, or plain files have changed. Nobody has to tell: of a file on a network drive, or behind a link that is switched, nobody does.</param>
public sealed record RuleSetOptions(TimeSpan Every)
{
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(30);
}

/// <summary>Who is asked on this host, as far as the rule set has to do with it.</summary>
public abstract class RuleSetContacts
{
    /// <summary>Those that runbooks are read with; null where nobody's are.</summary>
    public abstract ContactFiles? InForce { get; }

    /// <summary>They may be mended while the set stays as it is.</summary>
    public virtual bool StandElsewhere => false;

    public abstract void Take(RuleSet set);

    /// <summary>What is wrong with the set's contacts.</summary>
    public abstract IReadOnlyList<CatalogError> Errors(RuleSet set);
}

/// <summary>In practice everybody is reached in one place, whatever the set says.</summary>
public sealed class NoContacts : RuleSetContacts
{
    public override ContactFiles? InForce => null;

    public override void Take(RuleSet set)
    {
    }

    public override IReadOnlyList<CatalogError> Errors(RuleSet set) => [];
}

/// <summary>The set's own.</summary>
/// <param name="services">Asked only when they are needed: the contacts need the set that the process begins with, and that is checked by this.</param>
public sealed class OwnContacts(IServiceProvider services) : RuleSetContacts
{
    public override ContactFiles? InForce => services.GetRequiredService<CurrentContacts>().Book.Files;

    public override void Take(RuleSet set) => services.GetRequiredService<ContactsReload>().Take(set.Contacts, set.Teams);

    public override IReadOnlyList<CatalogError> Errors(RuleSet set) =>
        set is { Contacts: null, Teams.Count: 0 } ? [] : services.GetRequiredService<ContactsFile>().Read(set.People).Errors;
}

/// <summary>Another file says who is asked; the set has those of teams.</summary>
/// <param name="services"><inheritdoc cref="OwnContacts" path="/param[@name='services']"/></param>
/// <param name="read">Gives null while that file cannot be read.</param>
public sealed class ContactsElsewhere(IServiceProvider services, Func<RunbookFile?> read) : RuleSetContacts
{
    public override ContactFiles? InForce => services.GetRequiredService<CurrentContacts>().Book.Files;

    public override bool StandElsewhere => true;

    public override void Take(RuleSet set) => services.GetRequiredService<ContactsReload>().TakeTeams(set.Teams);

    /// <summary>What is wrong with the other file is no fault of the set. While nobody can say whom it names, only what the teams' files say by themselves is looked at.</summary>
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
