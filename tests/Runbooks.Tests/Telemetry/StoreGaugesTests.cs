using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Telemetry;
using TestKit;

namespace Runbooks.Tests.Telemetry;

public sealed class StoreGaugesTests : IDisposable
{
    private const string Id = "only-in-this-test";

    private readonly FakeTimeProvider _time = new(Some.Time.AddHours(1));
    private readonly StoreGauges _gauges;
    private readonly MeterListener _listener = new();
    private readonly List<string> _read = [];

    public StoreGaugesTests()
    {
        _gauges = new StoreGauges(_time);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Instruments.Name)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            if (tags[0].Value as string == Id)
            {
                _read.Add($"{instrument.Name} {string.Join(' ', tags.ToArray().Skip(1).Select(tag => tag.Value))} {value}");
            }
        });
        _listener.Start();
    }

    [Fact]
    public void WhatTheWatchCounted_IsToldByRunbook()
    {
        Show(Waiting(), Waiting(), Held(TimeSpan.FromMinutes(20)), Held(TimeSpan.FromMinutes(5)), Failed());

        Read().ShouldBe([
            "runbook.incidents.open awaitingApproval 2", "runbook.incidents.open holding 2",
            "runbook.incidents.waiting decision 2", "runbook.incidents.waiting attention 1", "runbook.lease.age  1200",
        ]);
    }

    /// <summary>A graph that simply ends says nothing.</summary>
    [Fact]
    public void WhatIsGone_IsToldAsNone()
    {
        Show(Waiting(), Held(TimeSpan.FromMinutes(5)));
        Show();

        Read().ShouldBe(["runbook.incidents.open awaitingApproval 0", "runbook.incidents.open holding 0", "runbook.incidents.waiting decision 0", "runbook.lease.age  0"]);
    }

    [Fact]
    public void AnotherProcessWatches_ThisOneTellsNothing()
    {
        Show(Waiting());
        _time.Advance(TimeSpan.FromMinutes(4));

        Read().ShouldBeEmpty();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _gauges.Dispose();
    }

    private static Incident Waiting() => Some.Waiting() with { RunbookId = Id };

    private static Incident Failed() =>
        (Some.Incident() with { RunbookId = Id }).End(IncidentState.Failed, "The automation broke.", Some.Time);

    private Incident Held(TimeSpan since) => Some.Incident() with
    {
        RunbookId = Id,
        State = IncidentState.Holding,
        VerificationRounds = [new(IncidentState.Holding, _time.GetUtcNow() - since, new Dictionary<string, Verdict>(), 1)],
    };

    private void Show(params Incident[] incidents)
    {
        var counts = new StoreCounts(_time.GetUtcNow());
        incidents.ToList().ForEach(incident => counts.Add(IncidentSummary.Of(incident)));
        _gauges.Show(counts);
    }

    private List<string> Read()
    {
        _read.Clear();
        _listener.RecordObservableInstruments();
        return _read;
    }
}
