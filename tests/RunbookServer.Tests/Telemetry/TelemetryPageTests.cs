using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;
using Runbooks.Model.Storage;
using Runbooks.Telemetry;
using Runbooks.Watchdog;
using RunbookServer.Tests.EndToEnd;
using TestKit;

namespace RunbookServer.Tests.Telemetry;

/// <summary>What is emitted is heard from every host of the process: nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;

/// <summary>docs/telemetry.md has every span and metric that is emitted, and none other.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed partial class TelemetryPageTests
{
    private static readonly string s_page = File.ReadAllText(RepositoryRoot.Of("docs", "telemetry.md"));

    [Fact]
    public async Task StoriesOfEveryKind_EmitWhatThePageSays()
    {
        using var heard = new Heard();
        // It watches by itself: two watches at a time would look at one record side by side.
        await using var host = await RunningHost.StartAsync(adjust: services => services.Remove(services.Single(service => service.ImplementationType?.Name == "WatchdogLoop")));
        var watchdog = host.Get<IncidentWatchdog>();

        // Recycled by a person's yes; a temporary fix that is held and taken back; one that the engine never began; one that asks.
        var id = await ApprovedAsync(host, "hanged-gpu", "alertmanager");
        await host.Client.WaitForAsync(id, "resolved");
        var held = await ApprovedAsync(host, "provider-outage", "azure-monitor");
        await host.PassAsync(TimeSpan.FromMinutes(2));
        await host.Client.WaitForAsync(held, "holding");
        await host.Client.WaitForAsync((await host.Client.StuckAsync("llm-b-5"))["id"]!.ToString(), "awaitingApproval");
        var lost = Some.Incident() with { OpenedAt = host.Time.GetUtcNow() - TimeSpan.FromHours(1) };
        await host.Get<IIncidentStore>().OpenAsync(lost, Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
        await watchdog.CheckAsync(TestContext.Current.CancellationToken);
        heard.ReadGauges();
        heard.Values("runbook.incidents.open", "provider-outage").ShouldContain(1);
        heard.Values("runbook.lease.age", "provider-outage").ShouldContain(age => age > 0 && age <= 120);
        (await host.Client.PostAsync($"api/incidents/{held}/take-back", """{"by":"ada","reason":"a drill"}""")).Status.ShouldBe(System.Net.HttpStatusCode.OK);
        await host.Client.WaitForAsync(held, "cancelled");

        // The end is on record before it is told, traced and counted.
        await host.SettleAsync();
        heard.Metrics.Order(StringComparer.Ordinal).ShouldBe(Rows("Metrics").Select(cells => $"{cells[0]} {cells[2]} {cells[3]}: {cells[4]}").Order(StringComparer.Ordinal));
        heard.Spans.Order(StringComparer.Ordinal).ShouldBe(
            Rows("Traces").Select(cells => $"{cells[0]}: {string.Join(", ", cells[2].Split(", ").Where(key => key.Length > 0).Order(StringComparer.Ordinal))}").Order(StringComparer.Ordinal));
        heard.AttributesOfMetrics.ShouldAllBe(value => !value.Contains("llm-b", StringComparison.Ordinal) && !value.Contains(id, StringComparison.Ordinal) && value != "ada");
    }

    [Fact]
    public void NamesInPrometheus_FollowFromNameKindAndUnit() => Rows("Metrics").ShouldEach(cells => cells[1] == Prometheus(cells[0], cells[2], cells[3]));

    internal static string Prometheus(string name, string kind, string unit) =>
        $"{name.Replace('.', '_')}{(unit == "s" ? "_seconds" : "")}{(kind == "counter" ? "_total" : "")}";

    /// <summary>The rows of the first table below a heading, without the marks of code.</summary>
    private static List<string[]> Rows(string heading)
    {
        var section = s_page.Split($"\n## {heading}\n")[1].Split("\n## ")[0];
        return [.. section.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Replace("`", "", StringComparison.Ordinal).Split('|').Select(cell => cell.Trim()).ToArray())];
    }

    private static async Task<string> ApprovedAsync(RunningHost host, string runbook, string source)
    {
        var id = (await host.Client.AlertAsync(source, SomeAlert.Sample($"{runbook}{(source == "alertmanager" ? ".alertmanager" : "")}")))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await host.SettleAsync();
        await host.Client.DecideAsync(id, "approve");
        return id;
    }

    /// <summary>Everything that this process emits meanwhile.</summary>
    private sealed partial class Heard : IDisposable
    {
        private static readonly string[] s_ofEverySpan = ["runbook.incident.id", "runbook.id", "runbook.target", "runbook.outcome"];

        private readonly ConcurrentDictionary<string, string> _spans = [];
        private readonly ConcurrentQueue<(Instrument Instrument, double Value, Dictionary<string, string> Tags)> _measured = [];
        private readonly ConcurrentDictionary<string, string> _metrics = [];
        private readonly MeterListener _meters = new() { InstrumentPublished = (instrument, listener) => { if (instrument.Meter.Name == Instruments.Name) { listener.EnableMeasurementEvents(instrument); } } };
        private readonly ActivityListener _activities;

        public Heard()
        {
            _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
            _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
            _meters.Start();
            _activities = new ActivityListener
            {
                ShouldListenTo = source => source.Name == Instruments.Name,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span =>
                {
                    s_ofEverySpan.ShouldAllBe(key => span.GetTagItem(key) != null);
                    _spans[NameOf(span.DisplayName)] = string.Join(", ", span.Tags.Select(tag => tag.Key).Except(s_ofEverySpan).Order(StringComparer.Ordinal));
                },
            };
            ActivitySource.AddActivityListener(_activities);
        }

        public IEnumerable<string> Spans => _spans.Select(span => $"{span.Key}: {span.Value}");

        public IEnumerable<string> Metrics => _metrics.Select(metric => $"{metric.Key}: {metric.Value}");

        public IEnumerable<string> AttributesOfMetrics => _measured.SelectMany(one => one.Tags.Values);

        public List<double> Values(string metric, string runbook) =>
            [.. _measured.Where(one => one.Instrument.Name == metric && one.Tags["runbook.id"] == runbook).Select(one => one.Value)];

        public void ReadGauges() => _meters.RecordObservableInstruments();

        public void Dispose()
        {
            _meters.Dispose();
            _activities.Dispose();
        }

        private static string NameOf(string span) => Named().Replace(span, "$1 {name}");

        private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var kept = tags.ToArray().ToDictionary(tag => tag.Key, tag => Convert.ToString(tag.Value, CultureInfo.InvariantCulture)!);
            _measured.Enqueue((instrument, value, kept));
            var kind = instrument.GetType().Name switch { "Counter`1" => "counter", "Histogram`1" => "histogram", _ => "gauge" };
            _metrics[$"{instrument.Name} {kind} {instrument.Unit}"] = string.Join(", ", tags.ToArray().Select(tag => tag.Key));
        }

        [GeneratedRegex("^(check|step|undo) .+$")]
        private static partial Regex Named();
    }
}
