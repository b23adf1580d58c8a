using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.SignedLinks;
using Runbooks.Storage;
using TestKit;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Web.Tests;

/// <summary>The whole HTTP surface on a real server and a port of the system's choice; nothing behind it but memory.</summary>
public sealed class WebHost : IAsyncLifetime
{
    public const string Key = "7Q2d9bXk4Tn8vR1mZs6Hc3Wf";
    private WebApplication _app = null!;

    public SignallingTime Time { get; } = new(Some.Time);
    public InMemoryIncidentStore Store { get; } = new();
    public InMemoryEvidenceStore Evidence { get; } = new();
    public InMemorySharedState State { get; } = new();
    public RecordingEngine Engine { get; private set; } = null!;
    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public IncidentChanges Changes => _app.Services.GetRequiredService<IncidentChanges>();
    public List<string> Logged { get; } = [];
    public bool OpenPages { get; init; } = true;

    /// <summary>Believes every name unless a test says who is who.</summary>
    public ContactBook Book { get; init; } = ContactBook.EveryoneOn("test");
    public ScriptedChannel Channel { get; } = new();
    public Dictionary<string, string?> Settings { get; } = [];
    public Action<IServiceCollection> Configure { get; init; } = _ => { };
    public Action<WebApplication> Map { get; init; } = _ => { };
    public IServiceProvider Services => _app.Services;

    /// <summary>Follows no redirects and carries no key.</summary>
    public HttpClient Browser { get; private set; } = null!;

    /// <summary>The same with the key.</summary>
    public HttpClient Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Engine = new RecordingEngine(Time);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddProvider(new ListLogger(Logged)).SetMinimumLevel(LogLevel.Debug);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ApiKeys:Keys:0"] = Key,
            ["ApiKeys:OpenPagesOnLoopback"] = OpenPages ? "true" : "false",
            ["LinkSigning:Keys:0:Id"] = "k1",
            ["LinkSigning:Keys:0:Secret"] = ApprovalOffice.LinkSecret("k1"),
        });
        builder.Services
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<IIncidentStore>(services => new SignallingIncidentStore(Store, services.GetRequiredService<IncidentChanges>(), services.GetRequiredService<TimeProvider>()))
            .AddSingleton<IEvidenceStore>(Evidence)
            .AddSingleton<ISharedState>(State)
            .AddSingleton<IIncidentEngine>(Engine)
            .AddSingleton<LoadedRunbooks>(() => [Some.Runbook()])
            .AddSingleton(Book)
            .AddSingleton<INotifier>(Channel)
            .AddRunbooks()
            .AddRunbooksWeb();
        builder.Configuration.AddInMemoryCollection(Settings);
        Configure(builder.Services);
        _app = builder.Build();
        _app.MapRunbooks();
        Map(_app);
        await _app.StartAsync();
        var address = new Uri(_app.Urls.Single());
        Browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = address };
        Api = new HttpClient { BaseAddress = address };
        Api.DefaultRequestHeaders.Add("X-Api-Key", Key);
    }

    public async Task<string> OpenAsync(Incident incident, Runbook? runbook = null) =>
        (await Store.OpenAsync(incident, runbook ?? Some.Runbook(), _ => null, CancellationToken.None)).Incident.Id;

    public string Token(Incident incident, string recipient = "oncall", TimeSpan? valid = null)
    {
        var gate = incident.LatestGate!;
        return _app.Services.GetRequiredService<LinkSigner>().Sign(
            new LinkGrant(incident.Id, gate.Id, recipient, gate.Plan.Hash, gate.ExpiresAt + (valid ?? TimeSpan.FromDays(1))));
    }

    public static async Task<JsonElement> JsonOf(HttpResponseMessage answer) => await answer.Content.ReadFromJsonAsync<JsonElement>();

    public static FormUrlEncodedContent Form(string decision, string reason = "") => new(new Dictionary<string, string> { ["decision"] = decision, ["reason"] = reason });

    public static FormUrlEncodedContent Form(params (string Name, string Value)[] fields) => new(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));

    /// <summary>What an answer says, as a person reads it.</summary>
    public static async Task<string> TextAsync(HttpResponseMessage answer) => WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

    public async ValueTask DisposeAsync()
    {
        Browser.Dispose();
        Api.Dispose();
        await _app.DisposeAsync();
    }

    private sealed class ListLogger(List<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines)
            {
                lines.Add(formatter(state, exception));
            }
        }

        public void Dispose()
        {
        }
    }
}
