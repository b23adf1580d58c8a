using RunbookLocal.PracticeRange.AppConfiguration;
using RunbookLocal.PracticeRange.Arm;
using RunbookLocal.PracticeRange.Faults;
using RunbookLocal.PracticeRange.Kubernetes;
using RunbookLocal.PracticeRange.Logs;
using RunbookLocal.PracticeRange.Prometheus;
using RunbookLocal.PracticeRange.Provider;

namespace RunbookLocal.PracticeRange;

/// <summary>
/// One API that the range speaks: its routes, its state, and how it words its errors. To add one, derive from this in
/// a folder of its own and name it in <see cref="PracticeApis"/>.
/// </summary>
internal abstract class PracticeApi(string name)
{
    /// <summary>The first segment of its paths, and its name in faults and in the state.</summary>
    public string Name => name;

    /// <param name="routes">Already under <c>/{Name}</c>.</param>
    public abstract void Map(IEndpointRouteBuilder routes);

    /// <summary>Its state for tests and the curious; serialised as JSON.</summary>
    public abstract object Describe();

    /// <summary>Back to how it began.</summary>
    public abstract void Reset();

    /// <summary>An error response in the API's own words; also what a fault with a status code answers.</summary>
    public abstract IResult Error(int status, HttpRequest request);

    /// <summary>Whether this request is one that the fault could meet in the real API.</summary>
    public virtual bool CanHit(Fault fault, HttpRequest request) => true;
}

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
