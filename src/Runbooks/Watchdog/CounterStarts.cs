using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Telemetry;

namespace Runbooks.Watchdog;

/// <summary>
/// Adds 0 to every counter that this host may use. Prometheus shows by how much a series grew, so a series that begins with its first
/// event never shows that event, such as the only lost alert of a night.
/// </summary>
public sealed class CounterStarts(
    LoadedRunbooks loaded,
    IOptionsMonitor<SafetyOptions> safety,
    AlertReader alerts,
    IEnumerable<INotifier> channels,
    TimeProvider time) : BackgroundService
{
    private readonly HashSet<string> _begun = new(StringComparer.Ordinal);

    /// <summary>Also begins what is new: runbooks, or a changed mode. Nothing begins twice.</summary>
    public void Begin()
    {
        foreach (var source in alerts.Sources)
        {
            Begin(source, Enum.GetValues<IntakeResult>());
            Begin(Instruments.Alerts, (Attributes.Source, source), (Attributes.Outcome, LostAlerts.Lost));
        }

        Begin(AlertSource.Manual, [IntakeResult.Opened, IntakeResult.Folded, IntakeResult.Ignored]);
        Begin(Instruments.Alerts, (Attributes.Source, LostAlerts.UnknownSender), (Attributes.Outcome, LostAlerts.Lost));
        foreach (var channel in channels.Where(channel => channel.ConfigurationError is null))
        {
            Begin(Instruments.Messages, (Attributes.Channel, channel.Channel), (Attributes.Outcome, ChannelClient.Taken));
            Begin(Instruments.Messages, (Attributes.Channel, channel.Channel), (Attributes.Outcome, ChannelClient.Failed));
        }

        foreach (var runbook in loaded())
        {
            Begin(runbook.Id, CamelCase.Of(RunModes.Stricter(runbook.Mode, safety.CurrentValue.Mode)));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var minute = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
        do
        {
            Begin();
        }
        while (await minute.WaitForNextTickAsync(stoppingToken));
    }

    private void Begin(string source, IEnumerable<IntakeResult> outcomes)
    {
        foreach (var outcome in outcomes)
        {
            Begin(Instruments.Alerts, (Attributes.Source, source), (Attributes.Outcome, CamelCase.Of(outcome)));
        }
    }

    private void Begin(string runbook, string mode)
    {
        Begin(Instruments.Opened, (Attributes.Runbook, runbook), (Attributes.Mode, mode));
        foreach (var state in Enum.GetValues<IncidentState>().Where(state => state.IsFinal()))
        {
            Begin(Instruments.Closed, (Attributes.Runbook, runbook), (Attributes.Mode, mode), (Attributes.Outcome, CamelCase.Of(state)));
        }

        foreach (var remedy in Enum.GetValues<Remedy>())
        {
            Begin(Instruments.WatchFindings, (Attributes.Runbook, runbook), (Attributes.Remedy, CamelCase.Of(remedy)));
        }
    }

    private void Begin(Counter<long> counter, params ReadOnlySpan<(string Key, string Value)> attributes)
    {
        var tags = new TagList();
        var name = counter.Name;
        foreach (var (key, value) in attributes)
        {
            tags.Add(key, value);
            name += $"|{value}";
        }

        if (_begun.Add(name))
        {
            counter.Add(0, tags);
        }
    }
}
