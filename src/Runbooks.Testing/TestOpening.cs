using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;

namespace Runbooks.Testing;

/// <summary>How the incident of a test begins: with an alert in its sender's form or in our own, or with a person.</summary>
/// <param name="Id">The incident; null when none was opened.</param>
/// <param name="Problem">Why none was; null when one was.</param>
/// <param name="Alerts">What the sender sent.</param>
internal sealed record TestOpening(string? Id, string? Problem, IReadOnlyList<Alert> Alerts)
{
    public static async Task<TestOpening> OpenAsync(TestWorld world, TestCase test, Runbook runbook)
    {
        if (test.Script.ByHand)
        {
            var started = await world.Get<ManualStart>().StartAsync(runbook.Id, test.Script.Alert.Labels, test.Script.By!, CancellationToken.None);
            return new(started.Outcome?.Id, string.Join(" ", started.Errors), []);
        }

        var (reader, source) = (world.Get<AlertReader>(), test.Script.Source);
        if (!reader.Knows(source))
        {
            throw new TestCaseException($"{test.Name}: the sender '{source}' is not known. Known: {string.Join(", ", reader.Sources)}.");
        }

        var parsed = test.AlertFile is { } file
            ? reader.Read(source, await File.ReadAllBytesAsync(file))
            : reader.Read("generic", test.Script.Alert.ToGeneric());
        return parsed.IsRefused
            ? new(null, $"the alert cannot be read: {string.Join(" ", parsed.Errors)}", [])
            : await TakeAsync(world, test.AlertFile is null ? [.. parsed.Alerts.Select(alert => alert with { Source = source })] : parsed.Alerts);
    }

    public static async Task<TestOpening> TakeAsync(TestWorld world, IReadOnlyList<Alert> alerts)
    {
        var outcomes = await world.Get<IncidentIntake>().TakeAsync(alerts, CancellationToken.None);
        return outcomes.FirstOrDefault(outcome => outcome.Id is not null) is { } opened
            ? new(opened.Id, null, alerts)
            : new(null, $"the alert opened nothing: {outcomes[0].Reason}", alerts);
    }
}
