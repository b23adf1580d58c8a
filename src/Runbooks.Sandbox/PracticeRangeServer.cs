using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Runbooks.Sandbox.Apis;
using Runbooks.Sandbox.Apis.AppConfiguration;
using Runbooks.Sandbox.Apis.Arm;
using Runbooks.Sandbox.Apis.Kubernetes;
using Runbooks.Sandbox.Apis.Logs;
using Runbooks.Sandbox.Apis.Prometheus;
using Runbooks.Sandbox.Apis.Provider;

namespace Runbooks.Sandbox;

/// <summary>
/// A small world to practise on: real HTTP on loopback, speaking just enough of the APIs that runbooks touch, with
/// state that answers to what is done to it. Each API has a folder of its own; see <see cref="PracticeApi"/>.
/// </summary>
public sealed class PracticeRangeServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PracticeRangeServer(WebApplication app, Uri baseAddress)
    {
        _app = app;
        BaseAddress = baseAddress;
    }

    /// <summary>Where it listens, without a trailing slash in its path: <c>http://127.0.0.1:7072</c>.</summary>
    public Uri BaseAddress { get; }

    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<PracticeRangeServer> StartAsync(PracticeRangeOptions options, CancellationToken cancellationToken)
    {
        var app = Build(options);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new PracticeRangeServer(app, new Uri(address));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static WebApplication Build(PracticeRangeOptions options)
    {
        // Built from nothing: the range must not pick up the host's addresses or log settings from the environment.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, options.Port);
            kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        });
        // A request that a fault keeps waiting must not keep the range from stopping.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(options).AddSingleton(options.Time).AddSingleton<FaultBoard>().AddPracticeApis();

        var app = builder.Build();
        app.UseMiddleware<FaultMiddleware>();
        app.UseRouting();
        RangeControl.Map(app);
        foreach (var api in app.Services.GetServices<PracticeApi>())
        {
            api.Map(app.MapGroup("/" + api.Name));
        }

        app.UseEndpoints(_ => { });
        return app;
    }
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
