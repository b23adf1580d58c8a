using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Engine;
using TestKit.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.AzureStorage.Tests.Cost;

/// <summary>That what goes on all day asks the account for the same, however much has been before and however much waits.</summary>
public sealed class ScaleCostTests : IAsyncDisposable
{
    private readonly AzureAccount _account;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow.AddMinutes(6));
    private readonly RecordingEngine _engine;
    private readonly CountedRequests _counted = new();
    private readonly IncidentWorld _world;
    private readonly ITestOutputHelper _output;
    private int _alerts;

    public ScaleCostTests(Azurite azurite, ITestOutputHelper output)
    {
        (_account, _engine, _output) = (new AzureAccount(azurite), new RecordingEngine(_time), output);
        _world = new IncidentWorld(configure: services => services
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton(_account.Incidents(_time, _counted))
            .AddSingleton(_account.State(_counted))
            .AddSingleton<IIncidentEngine>(_engine)
            .AddWatchdog());
        _world.Loaded = [Given.Runbook()];
    }

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    private IIncidentStore Store => _world.Get<IIncidentStore>();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task ManyClosedIncidents_CostNothing()
    {
        await ClosedIncidents.AddAsync(_account, 150, "some", _time.GetUtcNow().AddDays(-1));
        await CountAsync();
        var few = await CountAsync();

        await ClosedIncidents.AddAsync(_account, Rounds.Of(2_000), "many", _time.GetUtcNow().AddHours(-1));
        var many = await CountAsync();

        _output.WriteLine(string.Join('\n', many.Select(line => $"{line.Key}: {line.Value}")));
        many.ShouldBe(few);
        many["a page of 50"].ShouldBe(2);
        many.Where(line => line.Key.StartsWith("state ", StringComparison.Ordinal)).ShouldAllBe(line => line.Value == 1);
        many["an alert on a new target"].ShouldBe(6);
        many["an idle minute of the watch"].ShouldBeLessThanOrEqualTo(12);
    }

    [Fact]
    public async Task ManyWaitingIncidents_AreWatchedByThePage()
    {
        var waiting = Rounds.Of(400);
        await Parallel.ForEachAsync(Enumerable.Range(0, waiting), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (n, token) =>
        {
            var at = _time.GetUtcNow().AddMinutes(-6).AddMilliseconds(n);
            var incident = Given.Incident(Given.Runbook(), $"waiting-{n}") with { Target = $"inference/llm-{n}", OpenedAt = at, UpdatedAt = at };
            await _account.Incidents().OpenAsync(incident, Given.Runbook(), _ => null, token);
            _engine.Report(new EngineInstance(incident.Id, EngineStatus.Running, at, null));
        });

        // The account dates its rows by the clock on the wall. The first look reads each and fills its row in, so the second finds all in pages of 500.
        _time.SetUtcNow(DateTimeOffset.UtcNow.AddMinutes(6));
        await WatchAsync();
        var pages = (waiting / 500) + 1;
        var looks = await RequestsAsync(WatchAsync);
        looks.ShouldBeLessThanOrEqualTo(12 + pages);

        // Each is looked into once in five minutes.
        _time.Advance(TimeSpan.FromMinutes(5));
        (await RequestsAsync(WatchAsync)).ShouldBeLessThanOrEqualTo(20 + pages + waiting);
    }

    private async Task<Dictionary<string, int>> CountAsync()
    {
        _time.Advance(TimeSpan.FromMinutes(1));
        var counts = new Dictionary<string, int>
        {
            ["an idle minute of the watch"] = await RequestsAsync(WatchAsync),
            ["a page of 50"] = await RequestsAsync(() => Store.ListAsync(new IncidentQuery(Limit: 50), Now)),
            ["what is open"] = await RequestsAsync(() => Store.ListAsync(new IncidentQuery(Open: true), Now)),
        };
        foreach (var state in Enum.GetValues<IncidentState>())
        {
            counts[$"state {state}"] = await RequestsAsync(() => Store.ListAsync(new IncidentQuery(state, Limit: 50), Now));
        }

        var pod = $"new-{++_alerts}";
        counts["an alert on a new target"] = await RequestsAsync(async () =>
        {
            var alert = Given.Alert() with { Fingerprint = pod, Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = pod } };
            var opened = (await _world.Get<IncidentIntake>().ReceiveAsync([alert], Now))[0];
            await _account.Incidents().UpdateAsync(opened.Id!, i => i.End(IncidentState.NotNeeded, "", _time.GetUtcNow()), Now);
        });

        // Nothing is open any more, and the row of what has just ended is read once.
        _time.Advance(TimeSpan.FromMinutes(6));
        await Store.ListAsync(new IncidentQuery(Limit: 50), Now);
        return counts;
    }

    private Task WatchAsync() => _world.Get<IncidentWatchdog>().CheckAsync(Now);

    private async Task<int> RequestsAsync(Func<Task> work)
    {
        _counted.Clear();
        await work();
        return _counted.Requests.Count;
    }
}
