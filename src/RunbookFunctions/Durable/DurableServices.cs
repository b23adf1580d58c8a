using Azure.Core.Serialization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Engine;

namespace RunbookFunctions.Durable;

internal static class DurableServices
{
    /// <summary>The engine seam on Durable Functions.</summary>
    public static IServiceCollection AddDurableEngine(this IServiceCollection services)
    {
        // What goes into history is written as every other durable thing here is: camelCase, enums as words.
        services.Configure<WorkerOptions>(worker => worker.Serializer = new JsonObjectSerializer(DurableJson.Options));
        return services
            .AddSingleton<DurableClients>()
            .AddSingleton<IIncidentEngine, DurableIncidentEngine>();
    }
}
