using DurableTask.Core;
using Microsoft.Extensions.Options;
using Runbooks.AzureStorage;
using Runbooks.SignedLinks;
using Runbooks.Web.Http;

namespace RunbookServer.Hosting;

/// <summary>The storage account that several processes share. All of it is tried before anything starts.</summary>
internal static class StorageAccountStartup
{
    /// <summary>Takes the keys that all processes use, and makes what is missing in the account.</summary>
    /// <exception cref="CommandException">It is not configured, cannot be reached, or refuses us.</exception>
    public static async Task OpenAsync(IServiceProvider services, ServerSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            await TakeKeysAsync(services, settings, cancellationToken);
            if (await services.GetRequiredService<IIncidentStore>().CheckHealthAsync(cancellationToken) is { } trouble)
            {
                throw new StoreUnavailableException(trouble);
            }

            await services.GetRequiredService<IOrchestrationService>().CreateIfNotExistsAsync();
        }
        catch (StoreUnavailableException refused)
        {
            throw new CommandException($"{refused.Message} Nothing was started; the account is named in the section Storage (docs/settings.md).");
        }
        catch (OptionsValidationException invalid)
        {
            throw new CommandException($"{string.Join(" ", invalid.Failures)} See docs/settings.md, section Storage.");
        }
    }

    private static async Task TakeKeysAsync(IServiceProvider services, ServerSettings settings, CancellationToken cancellationToken)
    {
        var (configuration, shared) = (services.GetRequiredService<IConfiguration>(), services.GetRequiredService<SharedKeys>());
        var named = configuration.GetSection($"{ApiKeyOptions.SectionName}:{nameof(ApiKeyOptions.Keys)}").GetChildren().FirstOrDefault()?.Value;
        var made = named is null ? await shared.FindOrMakeAsync("api-key", SecretFiles.NewApiKey, cancellationToken) : null;
        var signs = configuration.GetSection($"{LinkSigningOptions.SectionName}:{nameof(LinkSigningOptions.Keys)}").GetChildren().Any()
            ? null
            : new LinkSigningKey { Id = "shared", Secret = await shared.FindOrMakeAsync("link-key", SecretFiles.NewLinkSecret, cancellationToken) };
        services.GetRequiredService<HostKeys>().Use(made, signs);
        SecretFiles.WriteApiKey(settings.DataDirectory, named ?? made!);
    }
}
