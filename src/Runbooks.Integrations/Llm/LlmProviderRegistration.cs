using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Llm;

public static class LlmProviderRegistration
{
    private const int LargestAnswer = 4 * 1024 * 1024;

    /// <summary>The check <c>llm.provider</c>.</summary>
    public static IServiceCollection AddLlmProvider(this IServiceCollection services)
    {
        services.AddOptions<LlmProviderOptions>().BindConfiguration(LlmProviderOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        // No retries: the check tells how the provider is now.
        services.AddHttpClient(LlmProviderCheck.Client)
            .ConfigureHttpClient(client =>
            {
                client.Timeout = Timeout.InfiniteTimeSpan;
                client.MaxResponseContentBufferSize = LargestAnswer;
            })
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
            .RemoveAllLoggers();
        return services.AddSingleton<ICheck, LlmProviderCheck>();
    }
}
