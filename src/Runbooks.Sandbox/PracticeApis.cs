using Runbooks.Sandbox.Apis;
using Runbooks.Sandbox.Apis.AppConfiguration;
using Runbooks.Sandbox.Apis.Arm;
using Runbooks.Sandbox.Apis.Kubernetes;
using Runbooks.Sandbox.Apis.Logs;
using Runbooks.Sandbox.Apis.Prometheus;
using Runbooks.Sandbox.Apis.Provider;

namespace Runbooks.Sandbox;

internal static class PracticeApis
{
    public static IServiceCollection AddPracticeApis(this IServiceCollection services) => services
        .AddSingleton<PracticeClusters>()
        .AddSingleton<AccessReview>()
        .AddSingleton<PracticeApi, KubernetesApi>()
        .AddSingleton<PracticeApi, PrometheusApi>()
        .AddSingleton<PracticeApi, ProviderApi>()
        .AddSingleton<PracticeApi, AppConfigurationApi>()
        .AddArm()
        .AddSingleton<PracticeApi, ArmApi>()
        .AddSingleton<Abuse>()
        .AddSingleton<PracticeTable, SlowRequestsTable>()
        .AddSingleton<PracticeTable, FlaggedPromptsTable>()
        .AddSingleton<PracticeTable, EdgeTable>()
        .AddSingleton<PracticeApi, LogsApi>();
}
