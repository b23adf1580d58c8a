using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Definition;
using Runbooks.Telemetry;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Incidents;

namespace Runbooks.Tests.Watchdog;

/// <summary>Prometheus sees by how much a counter grew: what begins with its first event seems never to have happened.</summary>
public sealed class CounterStartsTests : IAsyncDisposable
{
    private readonly IncidentWorld _world = new(configure: services => services.AddWatchdog());
    private readonly ConcurrentQueue<string> _zeros = [];
    private readonly MeterListener _listener = new();

    public CounterStartsTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Instruments.Name)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (value == 0)
            {
                _zeros.Enqueue($"{instrument.Name} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}");
            }
        });
        _listener.Start();
    }

    [Fact]
    public void WhatMayHappenHere_BeginsAtZeroOnce()
    {
        _world.Loaded = [Some.Runbook() with { Id = "first", Mode = RunMode.ApproveAll }];
        using var starts = ActivatorUtilities.CreateInstance<CounterStarts>(_world.Get<IServiceProvider>());

        starts.Begin();
        starts.Begin();

        _zeros.ShouldBeUnique();
        _zeros.ShouldContain("runbook.alerts runbook.alert.source=generic runbook.outcome=lost");
        _zeros.ShouldContain("runbook.alerts runbook.alert.source=an unknown sender runbook.outcome=lost");
        _zeros.ShouldContain("runbook.alerts runbook.alert.source=alertmanager runbook.outcome=opened");
        _zeros.ShouldContain("runbook.alerts runbook.alert.source=manual runbook.outcome=opened");
        _zeros.ShouldNotContain(zero => zero.Contains("manual") && zero.Contains("lost"));
        Of("runbook.messages").ShouldBe([$"runbook.channel={_world.Notifier.Channel} runbook.outcome=taken", $"runbook.channel={_world.Notifier.Channel} runbook.outcome=failed"]);
        Of("runbook.incidents.opened").ShouldBe(["runbook.id=first runbook.mode=approveAll"]);
        Of("runbook.incidents.closed").Select(zero => zero.Split('=')[^1]).ShouldBe(["resolved", "notNeeded", "selfRecovered", "rejected", "expired", "takenOver", "cancelled", "failed"]);
        Of("runbook.watchdog.findings").Select(zero => zero.Split('=')[^1]).ShouldBe(["wake", "start", "page", "closeAsFailed"]);
    }

    [Fact]
    public async Task RunbookThatComesLater_BeginsWithinAMinute()
    {
        using var starts = ActivatorUtilities.CreateInstance<CounterStarts>(_world.Get<IServiceProvider>());
        await starts.StartAsync(TestContext.Current.CancellationToken);
        await Patience.UntilAsync(() => Task.FromResult(!_zeros.IsEmpty), () => "Nothing begins.");
        Of("runbook.incidents.opened").ShouldNotContain("runbook.id=later runbook.mode=normal");

        _world.Loaded = [Some.Runbook() with { Id = "later" }];
        await Patience.UntilAsync(
            () =>
            {
                _world.Time.Advance(TimeSpan.FromMinutes(1));
                return Task.FromResult(Of("runbook.incidents.opened").Contains("runbook.id=later runbook.mode=normal"));
            },
            () => "It never begins.");

        await starts.StopAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _world.DisposeAsync();
    }

    private List<string> Of(string metric) => [.. _zeros.Where(zero => zero.StartsWith($"{metric} ", StringComparison.Ordinal)).Select(zero => zero[(metric.Length + 1)..])];
}
