using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.AzureStorage;
using Runbooks.Publishing;
using Runbooks.Settings;

namespace RunbookFunctions.Catalog;

internal static class RuleSetServices
{
    /// <summary>The published rule set, or the packaged one where there is no container.</summary>
    public static IServiceCollection AddPublishedRunbooks(this IServiceCollection services, bool takesContacts)
    {
        services.AddSettings<RunbookSourceOptions>(RunbookSourceOptions.SectionName);
        return services.AddRuleSet(
            provider => Options(provider) switch
            {
                { RunbooksContainer: { Length: > 0 } container } => provider.RuleSetContainer(container),
                { RunbooksFolder: var folder } => new FolderPlace(folder ?? Path.Combine(AppContext.BaseDirectory, "runbooks")),
            },
            provider => new RuleSetOptions(Options(provider).RefreshEvery) { TakesContacts = takesContacts });
    }

    private static RunbookSourceOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<RunbookSourceOptions>>().Value;
}
