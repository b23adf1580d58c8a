using Runbooks.Approvals;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Yaml;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

internal static class TestRunner
{
    /// <returns>What is not as expected; empty when the test passes.</returns>
    public static async Task<IReadOnlyList<TestProblem>> RunAsync(TestCase test, Runbook runbook, StepCatalog real)
    {
        if (test.Script.StrangeOutputs(runbook, real).ToList() is { Count: > 0 } strange)
        {
            return strange;
        }

        var (incident, use, problems) = await RunToEndAsync(test, runbook, real);
        if (incident is null)
        {
            return problems;
        }

        // After a difference, unused answers would only be noise.
        List<TestProblem> otherwise = [.. problems, .. Compare(incident, test.Script.Expect)];
        return otherwise.Count > 0 ? otherwise : [.. use.Unused(test.Script, incident)];
    }

    /// <returns>The incident at the end, null when none was opened; and what did not go as the test says.</returns>
    public static async Task<(Incident? Incident, IReadOnlyList<TestProblem> Problems)> PlayAsync(TestCase test, Runbook runbook, StepCatalog real)
    {
        var (incident, _, problems) = await RunToEndAsync(test, runbook, real);
        return (incident, problems);
    }

    private static async Task<(Incident? Incident, ScriptUse Use, IReadOnlyList<TestProblem> Problems)> RunToEndAsync(
        TestCase test, Runbook runbook, StepCatalog real)
    {
        await using var world = await TestWorld.StartAsync(test.Script, runbook, real);
        if (test.Script.Strangers(runbook).ToList() is { Count: > 0 } strangers)
        {
            return (null, world.Use, strangers);
        }

        var opening = await TestOpening.OpenAsync(world, test, runbook);
        if (opening.Id is not { } id)
        {
            return (null, world.Use, [new("alert", opening.Problem!)]);
        }

        var began = world.Now;
        var problems = new List<TestProblem>();
        foreach (var (happening, at) in test.Script.Events.Select((happening, at) => (happening, at)).OrderBy(one => one.happening.After))
        {
            await world.PassAsync(began + happening.After, () => Task.FromResult(false));
            if (await HappenAsync(world, id, happening, opening.Alerts) is { } refused)
            {
                problems.Add(new($"events[{at}]", $"after {DurationText.Format(happening.After)}: {refused}"));
            }
        }

        await world.PassAsync(world.Now + world.Longest, () => world.IsOverAsync(id));
        return (await world.Get<IIncidentStore>().GetAsync(id, CancellationToken.None), world.Use, problems);
    }

    private static async Task<string?> HappenAsync(TestWorld world, string id, TestEvent happening, IReadOnlyList<Alert> alerts)
    {
        var (approvals, verbs) = (world.Get<ApprovalService>(), world.Get<IncidentVerbService>());
        if (happening.Resolved)
        {
            if (alerts.Count == 0)
            {
                return "a person started it, so no sender says that it is over.";
            }

            if (await world.IsOverAsync(id))
            {
                return "it had ended, so this changed nothing.";
            }

            await world
                .Get<IncidentIntake>()
                .ReceiveAsync([.. alerts.Select(alert => alert with { Status = AlertStatus.Resolved })], CancellationToken.None);
            return null;
        }

        var why = happening.Reason ?? "The test says so.";
        if (happening.Cancel is { } stopper)
        {
            return Refusal((await verbs.StopAsync(id, stopper, why, CancellationToken.None)).Result);
        }

        if (happening.TakeBack is { } regretful)
        {
            return Refusal((await verbs.TakeBackAsync(id, regretful, why, CancellationToken.None)).Result);
        }

        var (verb, person) = happening switch
        {
            { Approve: { } approver } => (DecisionVerb.Approve, approver),
            { Reject: { } rejecter } => (DecisionVerb.Reject, rejecter),
            { Done: { } doer } => (DecisionVerb.Approve, doer),
            { CouldNot: { } unable } => (DecisionVerb.Reject, unable),
            _ => (DecisionVerb.TakeOver, happening.TakeOver!),
        };
        var question = (await world.Get<IIncidentStore>().GetAsync(id, CancellationToken.None)).OpenGate;
        var task = question?.Task;
        if ((happening.Done ?? happening.CouldNot) is { } && task is null)
        {
            return "no step waits for a person.";
        }

        var request = new DecisionRequest(verb, person, "test", happening.Reason ?? (happening.CouldNot is null ? null : why))
        {
            Items = happening.Items ?? (happening.Done is null ? null : task?.ItemsLeft),
        };
        return Refusal((await approvals.DecideAsync(id, question?.Id, request, CancellationToken.None)).Result);
    }

    private static string? Refusal(DecisionResult result) =>
        result.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded ? null : $"it did not count: {result.Message}";

    private static IEnumerable<TestProblem> Compare(Incident incident, TestExpectation expected)
    {
        var state = CamelCase.Of(incident.State);
        if (state != expected.State)
        {
            yield return new("expect.state", $"state is {state} and should be {expected.State}{(incident.Reason is { Length: > 0 } why ? $": {why}" : ".")}");
        }

        var steps = string.Join(", ", incident.Steps.Select(step => $"{step.Name}: {CamelCase.Of(step.Status)}"));
        if (expected.Steps is { } wanted && string.Join(", ", wanted.Select(step => $"{step.Key}: {step.Value}")) is var words && words != steps)
        {
            yield return new("expect.steps", $"steps are {{ {steps} }} and should be {{ {words} }}");
        }
    }
}

internal sealed record TestOpening(string? Id, string? Problem, IReadOnlyList<Alert> Alerts)
{
    public static async Task<TestOpening> OpenAsync(TestWorld world, TestCase test, Runbook runbook)
    {
        if (test.Script.ByHand)
        {
            var started = await world
                .Get<ManualStart>()
                .StartAsync(runbook.Id, test.Script.Alert.Labels, test.Script.By!, null, CancellationToken.None, test.Script.Proposed);
            return new(started.Outcome?.Id, string.Join(" ", started.Errors), []);
        }

        var (reader, source) = (world.Get<AlertReader>(), test.Script.Source);
        var parsed = test.AlertFile is { } file
            ? reader.Read(source, await File.ReadAllBytesAsync(file))
            : reader.Read(AlertSource.Generic, test.Script.Alert.ToGeneric());
        return parsed.IsRefused
            ? new(null, $"the alert cannot be read: {string.Join(" ", parsed.Errors)}", [])
            : await TakeAsync(world, test.AlertFile is null ? [.. parsed.Alerts.Select(alert => alert with { Source = source })] : parsed.Alerts);
    }

    public static async Task<TestOpening> TakeAsync(TestWorld world, IReadOnlyList<Alert> alerts)
    {
        var outcomes = await world.Get<IncidentIntake>().ReceiveAsync(alerts, CancellationToken.None);
        return outcomes.FirstOrDefault(outcome => outcome.Id is not null) is { } opened
            ? new(opened.Id, null, alerts)
            : new(null, $"the alert opened nothing: {outcomes[0].Reason}", alerts);
    }
}

/// <summary>One test of a runbook: <c>tests/{runbook}/{case}/test.yaml</c> beside it, with its alert.</summary>
/// <param name="AlertFile">Null when the test itself has the alert, or needs none.</param>
internal sealed record TestCase(string RunbookId, string? AlertFile, TestScript Script)
{
    public const string FileName = "test.yaml";

    public static (TestCase? Case, IReadOnlyList<CatalogError> Errors) Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        var name = Path.GetRelativePath(".", file);
        var (script, errors) = TestScriptReader.Open(name, File.ReadAllText(file));
        if (script is null)
        {
            return (null, errors.Sorted);
        }

        var runbook = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(folder)))!;
        var alert = script.ByHand || script.Alert.File is not { } named ? null : Path.Combine(folder, named);
        if (alert is not null && !File.Exists(alert))
        {
            errors.AtValue(
                "alert",
                $"names {script.Alert.File}, and there is no such file beside it.",
                "Put the alert there as its sender posts it, or write it out under 'alert:'.");
            return (null, errors.Sorted);
        }

        return (
            new TestCase(runbook, alert, script)
            {
                PlaceOf = problem => new(name, PlaceIn(errors, problem).Line, PlaceIn(errors, problem).Column, "", problem.Text, ""),
            },
            []);
    }

    public Func<TestProblem, CatalogError> PlaceOf { get; private init; } = problem => new(FileName, 1, 1, "", problem.Text, "");

    private static Position PlaceIn(
        FileErrors errors, TestProblem problem) => problem.IsKey ? errors.PlaceOfKey(problem.Path) : errors.PlaceOf(problem.Path);
}

internal sealed class TestCaseException(string message) : Exception(message);

/// <param name="Path">The place in the test: <c>expect.state</c>; empty for the file as a whole.</param>
/// <param name="IsKey">The key there is wrong, and not its value.</param>
internal sealed record TestProblem(string Path, string Text, bool IsKey = false)
{
    public override string ToString() => Text;
}
