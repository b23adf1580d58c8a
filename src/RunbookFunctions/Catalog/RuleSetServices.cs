using System.ComponentModel.DataAnnotations;
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

/// <summary>Where runbooks come from.</summary>
internal sealed class RunbookSourceOptions
{
    public const string SectionName = "Runbooks";

    /// <summary>The blob container with the published runbooks; empty: those that are packaged with the app.</summary>
    public string? RunbooksContainer { get; set; }

    /// <summary>A folder in place of the packaged one, for development.</summary>
    public string? RunbooksFolder { get; set; }

    /// <summary>How often it is looked at whether something was published.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan RefreshEvery { get; set; } = TimeSpan.FromSeconds(30);
}
