using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog.Steps;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;
using Runbooks.Notifications;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Settings;
using Runbooks.Sqlite.DurableTask;
using Runbooks.Storage;

namespace Runbooks.Testing;

/// <summary>Orchestration, task hub and store as in the host, in a temporary folder, in virtual time. The outside is scripted.</summary>
internal sealed class TestWorld : IAsyncDisposable
{
    private static readonly DateTimeOffset s_night = new(2026, 11, 23, 3, 0, 0, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("runbook-test-").FullName;
    private readonly ServiceProvider _services;
    private readonly FakeTimeProvider _clock;
    private readonly VirtualPause _pause;

    private TestWorld(WorldScript script, Runbook runbook, StepCatalog real)
    {
        // Real answers have real times.
        _clock = new FakeTimeProvider(script.IsLive ? TimeProvider.System.GetUtcNow() : s_night);
        _pause = new VirtualPause(_clock);
        Longest = LongestOf(runbook);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["LinkSigning:Keys:0:Id"] = "test",
            ["LinkSigning:Keys:0:Secret"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(SigningKey.MinBytes)),
            ["Runbooks:PublicUrl"] = "http://localhost",
            ["Safety:Mode"] = script.Mode ?? "normal",
        }).Build());
        services.AddLogging();
        services.AddSingleton<TimeProvider>(_clock);
        services.AddRunbooks().AddIncidentIntake();
        services.TryAddSingleton<IncidentChanges>();
        services.AddSqlite(_folder, survivesPowerCut: false, hub => hub.CheckClockEvery = null).AddIncidentTaskHub();
        services.AddSingleton<LoadedRunbooks>(() => [runbook]);
        services.AddSingleton<RecordingChannel>()
            .AddSingleton<INotifier>(provider => provider.GetRequiredService<RecordingChannel>())
            .AddSingleton(ContactBook.EveryoneOn(RecordingChannel.Name));
        services.AddSingleton<IGuardrail>(new ScriptedGuardrail(script, Use));
        services.Replace(ServiceDescriptor.Singleton(new StepCatalog(
            real.Checks.Select(check => script.IsLive
                ? (ICheck)new LiveCheck(check, runbook)
                : new ScriptedCheck(check, script, Use)), real.Actions.Select(action => new ScriptedAction(
                    action, runbook, script, Use, PauseAsync)))));
        _services = services.BuildServiceProvider();
    }

    public ScriptUse Use { get; } = new();

    /// <summary>An incident that has not ended this long after the last event does not end.</summary>
    public TimeSpan Longest { get; }

    public DateTimeOffset Now => _clock.GetUtcNow();

    private SqliteOrchestrationService Hub => _services.GetRequiredService<SqliteOrchestrationService>();

    private TaskHubHost Host => _services.GetRequiredService<TaskHubHost>();

    private DateTimeOffset? NextDue => _pause.Next is { } pause && !(Hub.NextTimer < pause) ? pause : Hub.NextTimer;

    public static async Task<TestWorld> StartAsync(WorldScript script, Runbook runbook, StepCatalog real)
    {
        var world = new TestWorld(script, runbook, real);
        await world.Host.StartAsync(CancellationToken.None);
        return world;
    }

    /// <summary>A week; a day more than its question waits, where that is longer.</summary>
    public static TimeSpan LongestOf(Runbook runbook) =>
        Enum.GetValues<Phase>().SelectMany(phase => runbook.StepsOf(phase)
            .Select(step => step.Timeout)
            .Append(runbook.ApprovalOf(phase)?.Timeout ?? TimeSpan.Zero))
            .Select(longest => longest + TimeSpan.FromDays(1)).Append(TimeSpan.FromDays(7)).Max();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public async Task<bool> IsOverAsync(string incidentId) =>
        (await Get<IIncidentStore>().GetAsync(incidentId, CancellationToken.None)).State.IsFinal();

    /// <summary>Lets time pass from one due timer to the next, each time until everything waits again.</summary>
    public async Task PassAsync(DateTimeOffset until, Func<Task<bool>> over)
    {
        await Hub.WhenIdleAsync();
        while (!await over() && NextDue is { } due && due <= until)
        {
            MoveTo(due.AddMilliseconds(1));
            await Hub.WhenIdleAsync();
        }

        if (!await over())
        {
            MoveTo(until);
            await Hub.WhenIdleAsync();
        }
    }

    private void MoveTo(DateTimeOffset time) => _clock.SetUtcNow(time > Now ? time : Now);

    private Task PauseAsync(TimeSpan time, CancellationToken cancellationToken) => _pause.TakeAsync(time, Hub.Busy, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Host.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Reaches everybody and sends nothing: it keeps the messages.</summary>
internal sealed class RecordingChannel(TimeProvider time) : INotifier
{
    public const string Name = "silent";

    private readonly ConcurrentQueue<RecordedCard> _kept = [];

    public string Channel => Name;

    public IReadOnlyList<RecordedCard> Kept => [.. _kept];

    public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        _kept.Enqueue(new RecordedCard(time.GetUtcNow(), to.Recipient, card));
        return Task.FromResult<Receipt>(null);
    }
}

internal sealed record RecordedCard(DateTimeOffset At, string To, Card Card);

/// <summary>The answers of limits, windows and breakers, as if they had a past.</summary>
internal sealed class ScriptedGuardrail(WorldScript script, ScriptUse use) : IGuardrail
{
    public Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        var phase = CamelCase.Of(question.Phase);
        use.Guard(phase);
        return Task.FromResult(script.Objections.TryGetValue(phase, out var severity)
            ? new GuardrailViolation("scripted", $"As scripted: {severity}.", Enum.Parse<GuardrailSeverity>(severity, ignoreCase: true))
            : null);
    }
}

/// <summary>
/// Lets a scripted part take virtual time. During a pause it does not count as running: the world is idle, and time moves on to the end of
/// the pause.
/// </summary>
internal sealed class VirtualPause(FakeTimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly List<DateTimeOffset> _due = [];

    /// <summary>When the next pause is over; null when nothing pauses.</summary>
    public DateTimeOffset? Next
    {
        get
        {
            lock (_gate)
            {
                return _due.Count == 0 ? null : _due.Min();
            }
        }
    }

    public async Task TakeAsync(TimeSpan time, BusyCount busy, CancellationToken cancellationToken)
    {
        var due = clock.GetUtcNow() + time;
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var woken = 0;
        lock (_gate)
        {
            _due.Add(due);
        }

        await using var timer = clock.CreateTimer(_ => Wake(), null, time, Timeout.InfiniteTimeSpan);
        await using var cancelled = cancellationToken.Register(Wake);
        busy.Exit();
        await over.Task;
        cancellationToken.ThrowIfCancellationRequested();

        // Counted as running before the clock goes on, so that the world never seems idle in between.
        void Wake()
        {
            if (Interlocked.Exchange(ref woken, 1) == 0)
            {
                lock (_gate)
                {
                    _due.Remove(due);
                }

                busy.Enter();
                over.SetResult();
            }
        }
    }
}

/// <summary>Asks the real check, by the real clock, for a simulated incident. The simulation's own clock stands still meanwhile.</summary>
internal sealed class LiveCheck(ICheck real, Runbook runbook) : ICheck
{
    public string Name => real.Name;

    public string Summary => real.Summary;

    public string? Role => real.Role;

    public Type ParametersType => real.ParametersType;

    public async Task<CheckResult> AskAsync(object parameters, StepContext context, CancellationToken cancellationToken)
    {
        var longest = runbook.FindCheck(ScriptedCheck.NameOf(context))?.Timeout ?? CheckSpec.DefaultTimeout;
        try
        {
            var found = await real
                .AskAsync(parameters, context with { Time = TimeProvider.System }, cancellationToken)
                .WaitAsync(longest, TimeProvider.System, cancellationToken);

            // As old in the simulation as it really is.
            var apart = context.Time.GetUtcNow() - TimeProvider.System.GetUtcNow();
            return found with { MeasuredAt = found.MeasuredAt + apart, MeasuredFrom = found.MeasuredFrom + apart };
        }
        catch (TimeoutException)
        {
            return CheckResult.Unknown($"{Name}: not done within {DurationText.Format(longest)}.");
        }
    }
}
