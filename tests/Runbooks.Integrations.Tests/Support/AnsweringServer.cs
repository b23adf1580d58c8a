using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit.Storage;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>The other end of a channel, a check or an action: a real server that notes what it is sent and answers as told.</summary>
internal sealed class AnsweringServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AnsweringServer(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    public ConcurrentQueue<Received> Requests { get; } = new();

    public Func<HttpContext, Task> Answer { get; set; } = context => context.Response.WriteAsync("""{"ok":true,"channel":"C0OPS","ts":"1700000000.000100"}""");

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 3, 12, 0, TimeSpan.Zero));

    public static async Task<AnsweringServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new AnsweringServer(app);
        app.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            server.Requests.Enqueue(new(context.Request.Path, await reader.ReadToEndAsync(), context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString())));
            await server.Answer(context);
        });
        await app.StartAsync();
        return server;
    }

    /// <summary>A channel of this name, set up as a host does it, with <c>${URL}</c> as the address of this server.</summary>
    public INotifier Channel(string name, Action<IServiceCollection> add, params (string Name, string Value)[] settings) =>
        Services(services => add(services.AddLogging().AddSingleton<AddressSecrets>()), [.. settings, ("URL", Url + "/hook/s3cret-signature")]).GetServices<INotifier>().Single(notifier => notifier.Channel == name);

    /// <summary>What is registered, with this server in the place of Azure.</summary>
    public ServiceProvider Azure(Action<IServiceCollection> add) => Services(add, ("Azure:ManagementEndpoint", Url), ("Azure:LogsEndpoint", Url));

    public ServiceProvider Services(Action<IServiceCollection> add, params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build())
            .AddSingleton<TimeProvider>(Time).AddSingleton<ISharedState>(new InMemorySharedState());
        add(services);
        return services.BuildServiceProvider();
    }

    /// <summary>What a check or an action is asked in.</summary>
    public StepContext Step() => new()
    {
        IncidentId = "i", RunbookId = "r", Target = "n", IdempotencyKey = "k", Evidence = new InMemoryEvidenceStore(), Time = Time,
    };

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    internal sealed record Received(string Path, string Body, IReadOnlyDictionary<string, string> Headers);
}

/// <summary>A test with such a server of its own.</summary>
public abstract class WithServer : IAsyncLifetime
{
    private protected AnsweringServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AnsweringServer.StartAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }
}
