using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Disk;

public static class DiskRegistration
{
    /// <summary>The check <c>disk.usage</c> and the action <c>disk.deleteTempFiles</c>.</summary>
    public static IServiceCollection AddDisk(this IServiceCollection services)
    {
        services.AddOptions<DiskOptions>().BindConfiguration(DiskOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddAzure();
        services.AddSingleton<Machines>();
        services.AddSingleton<ICheck, DiskUsage>();
        return services.AddSingleton<IAction, DeleteTempFiles>();
    }
}
