using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Model.Storage;
using Runbooks.Notifications.Storms;
using TestKit;
using TestKit.Engine;
using TestKit.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.AzureStorage.Tests.Cost;

/// <summary>Many alerts at once: each costs what one costs, and they do not wait for each other.</summary>
public sealed class BurstCostTests : IAsyncDisposable
{
    private const int Many = 80;

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly RecordingEngine _engine;
    private readonly CountedRequests _counted = new();
    private readonly IncidentWorld _world;
    private readonly ITestOutputHelper _output;

    public BurstCostTests(Azurite azurite, ITestOutputHelper output)
    {
        var account = new AzureAccount(azurite);
        (_engine, _output) = (new RecordingEngine(_time), output);
        _world = new IncidentWorld(configure: services => services
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton(account.Incidents(_time, _counted))
            .AddSingleton(account.State(_counted))
            .AddSingleton<IIncidentEngine>(_engine)
            .AddIncidentIntake());
        _world.Loaded = [Given.Runbook()];
    }

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task EightyAlertsOnEightyTargets_CostWhatOneCostsEach()
    {
        await TakeAsync("warm", 1);
        _counted.Clear();

        var outcomes = await TakeAsync("new", Many);

        _output.WriteLine(_counted.Describe());
        outcomes.ShouldAllBe(outcome => outcome.Outcome == IntakeResult.Opened);
        _engine.Started.Count.ShouldBe(Many + 1);

        // Two reads and three writes each; the rows of the index go together.
        _counted.Requests.Count.ShouldBeLessThanOrEqualTo((Many * 5) + 70);
        _counted.MostAtOnce.ShouldBeGreaterThanOrEqualTo(8);
    }

    [Fact]
    public async Task StormOfEighty_IsNotLookedOverByEachOfThem()
    {
        var storms = _world.Get<StormRegistry>();
        var store = _world.Get<IIncidentStore>();
        var first = (await TakeAsync("first", 1))[0];
        var lonely = await store.GetAsync(first.Id!, Now);
        await storms.ListAsync(Now);
        _counted.Clear();

        (await storms.JoinAsync(lonely, Now)).ShouldBeNull();
        _counted.Requests.Count.ShouldBe(2, "the storms that are known, and how many have opened");

        var outcomes = await TakeAsync("storm", Many);
        var incidents = await Task.WhenAll(outcomes.Select(outcome => store.GetAsync(outcome.Id!, Now)));
        _counted.Clear();

        var places = new List<StormPlace?>();
        foreach (var incident in incidents)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            places.Add(await storms.JoinAsync(incident, Now));
        }

        _output.WriteLine(_counted.Describe());
        places.ShouldAllBe(place => place != null);
        places.Select(place => place!.StormId).Distinct().ShouldHaveSingleItem();
        _counted.Requests.Count.ShouldBeLessThanOrEqualTo((2 * Many) + 60, "the first looks, the others join");
    }

    private Task<IReadOnlyList<IntakeOutcome>> TakeAsync(string name, int count) => _world.Get<IncidentIntake>().ReceiveAsync(
        [.. Enumerable.Range(0, count).Select(n => Given.Alert() with
        {
            Fingerprint = $"{name}-{n}", Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = $"{name}-{n}" },
        })],
        Now);
}
