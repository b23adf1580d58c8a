using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Execution;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Tests.Watchdog;

/// <summary>The watch over a store, an engine and one channel that do as the test says.</summary>
internal sealed class WatchdogWorld : IAsyncDisposable, INotifier, IEndHook
{
    private readonly ServiceProvider _services;

    public WatchdogWorld()
    {
        Engine = new RecordingEngine(Time);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["LinkSigning:Keys:0:Id"] = "k1",
            ["LinkSigning:Keys:0:Secret"] = ApprovalOffice.LinkSecret("k1"),
        }).Build());
        services.AddLogging()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<IIncidentStore>(Store)
            .AddSingleton<IEvidenceStore>(Evidence)
            .AddSingleton<ISharedState>(State)
            .AddSingleton<IIncidentEngine>(Engine)
            .AddSingleton<INotifier>(this)
            .AddSingleton<IEndHook>(this)
            .AddSingleton(ContactBook.EveryoneOn(Channel))
            .AddSingleton<LoadedRunbooks>(() => [Some.Runbook()])
            .AddRunbooks()
            .AddWatchdog();
        _services = services.BuildServiceProvider();
    }

    public string Channel => "test";

    /// <summary>What incidents are opened with.</summary>
    public Runbook Runbook { get; init; } = Some.Runbook();

    public FakeTimeProvider Time { get; } = new(Some.Time);

    public InMemoryIncidentStore Store { get; } = new();

    public InMemoryEvidenceStore Evidence { get; } = new();

    public InMemorySharedState State { get; } = new();

    /// <summary>The incidents whose end an integration was told of.</summary>
    public ConcurrentQueue<string> Ended { get; } = new();

    public DateTimeOffset? ForgottenBefore { get; private set; }

    public RecordingEngine Engine { get; }

    public ConcurrentQueue<(string To, Card Card)> Sent { get; } = new();

    /// <summary>How messages were changed, by the key of each.</summary>
    public ConcurrentQueue<(string Key, Card Card)> Changed { get; } = new();

    public bool Rings { get; set; }

    public bool ChannelIsDown { get; set; }

    public bool ChannelHangs { get; set; }

    /// <summary>It takes messages, and breaks before it says so.</summary>
    public bool AnswersAreLost { get; set; }

    /// <summary>What happens while a message is being sent; nothing unless said otherwise.</summary>
    public Func<Task> WhileSending { get; set; } = () => Task.CompletedTask;

    /// <summary>What happens while an integration is told of an end; nothing unless said otherwise.</summary>
    public Func<Task> WhileFinishing { get; set; } = () => Task.CompletedTask;

    /// <summary>It takes no change of a message.</summary>
    public bool TakesNoChange { get; set; }

    /// <summary>How often a change was tried.</summary>
    public int ChangesTried { get; private set; }

    public bool IsTicketSystemDown { get; set; }

    public IReadOnlyList<string> Paged => [.. Sent.Where(sent => sent.Card.Kind == CardKind.Page).Select(sent => sent.To)];

    public DateTimeOffset Now => Time.GetUtcNow();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Opens it; the engine runs it unless told otherwise.</summary>
    public async Task<string> OpenAsync(Incident incident, EngineStatus? engine = EngineStatus.Running, string? failure = null)
    {
        await Store.OpenAsync(incident, Runbook, _ => null, CancellationToken.None);
        if (engine is { } status)
        {
            Engine.Report(new EngineInstance(incident.Id, status, Now, failure));
        }

        return incident.Id;
    }

    public async Task<Incident> CheckAsync(string id, params TimeSpan[] after)
    {
        foreach (var pause in after.DefaultIfEmpty(TimeSpan.Zero))
        {
            Time.Advance(pause);
            await Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
        }

        return await Store.GetAsync(id, CancellationToken.None);
    }

    /// <summary>The loop of a host without timers of its own.</summary>
    public WatchdogLoop Loop(WatchTurn? turn = null) =>
        new(Get<IncidentWatchdog>(), Get<HealthMonitor>(), Get<Retention>(), Time, NullLogger<WatchdogLoop>.Instance, turn);

    /// <summary>Lets minutes pass until that has come of them.</summary>
    public Task PassUntilAsync(Func<bool> met) => Patience.UntilAsync(
        () =>
        {
            Time.Advance(TimeSpan.FromMinutes(1));
            return Task.FromResult(met());
        },
        () => "The loop did not come to it.");

    public async Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken)
    {
        if (IsTicketSystemDown)
        {
            throw new IOException("no line");
        }

        await WhileFinishing();
        Ended.Enqueue($"{incident.Id} {incident.State}");
        return ["Wrote on the ticket how this ended."];
    }

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        if (ChannelIsDown)
        {
            throw new IOException("no line");
        }

        if (ChannelHangs)
        {
            await new TaskCompletionSource().Task;
        }

        await WhileSending();

        Sent.Enqueue((to.Recipient, card));
        return AnswersAreLost ? throw new IOException("the line broke") : card.Key;
    }

    public string? ReferenceOf(Card card, Address to) => card.Key;

    public Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken)
    {
        ChangesTried++;
        if (TakesNoChange)
        {
            throw new DeliveryException("answered 403.");
        }

        Changed.Enqueue((reference, card));
        return Task.CompletedTask;
    }

    public Task ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        ForgottenBefore = before;
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
