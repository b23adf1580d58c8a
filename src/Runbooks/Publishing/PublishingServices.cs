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
