using Runbooks.Approvals;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Testing;

internal static class Simulator
{
    /// <exception cref="TestCaseException">The alert opens nothing.</exception>
    public static async Task<SimulatedIncident> PlayAsync(Runbook runbook, IReadOnlyList<Alert> alerts, Assumptions assumed, StepCatalog real)
    {
        await using var world = await TestWorld.StartAsync(assumed.ScriptFor(runbook), runbook, real);
        var opening = await TestOpening.TakeAsync(world, alerts);
        var id = opening.Id ?? throw new TestCaseException(opening.Problem!);
        var questions = new List<Gate>();
        var end = world.Now + world.Longest;
        async Task<Incident> NowAsync() => await world.Get<IIncidentStore>().GetAsync(id, CancellationToken.None);
        async Task<Gate?> NewAsync() => (await NowAsync()).OpenGate is { } gate && questions.All(asked => asked.Id != gate.Id) ? gate : null;

        // Where the real world is asked, the play ends at a question, a step, or a finding of nothing to do: what follows would be assumed.
        async Task<bool> IsOverAsync() =>
            await world.IsOverAsync(id)
                || (assumed.IsLive && (questions.Count > 0 || await NowAsync() is { Steps.Count: > 0 } or { IsFoundHealthy: true }));

        while (world.Now < end && !await IsOverAsync())
        {
            await world.PassAsync(end, async () => await NewAsync() is not null || await IsOverAsync());
            if (await NewAsync() is { } question)
            {
                questions.Add(question);
                await AnswerAsync(world, id, question, assumed);
                end = world.Now + world.Longest;
            }
        }

        return new(await NowAsync(), questions, world.Get<RecordingChannel>().Kept);
    }

    private static async Task AnswerAsync(TestWorld world, string id, Gate question, Assumptions assumed)
    {
        if (assumed is { IsLive: true } or { Decision: null })
        {
            return;
        }

        var verb = assumed.Decision.Value;
        await world.PassAsync(question.OpenedAt + assumed.After, () => world.IsOverAsync(id));
        if (question.Task is { } task && verb == DecisionVerb.Approve)
        {
            world.Use.Act(task.Step);
        }

        for (var person = 1; person <= (verb == DecisionVerb.Approve ? question.Required : 1); person++)
        {
            var by = person == 1 ? assumed.By : $"{assumed.By} ({person})";
            await world.Get<ApprovalService>().DecideAsync(id, question.Id, Answer(question, verb, by), CancellationToken.None);
        }
    }

    private static DecisionRequest Answer(
        Gate question,
        DecisionVerb verb,
        string by) => new(verb, by, "simulation", question.Task is not null && verb == DecisionVerb.Reject ? "As simulated." : null)
    {
        Items = verb == DecisionVerb.Approve ? question.Task?.ItemsLeft : null,
    };
}

/// <param name="Questions">As they were when they were asked.</param>
internal sealed record SimulatedIncident(Incident Incident, IReadOnlyList<Gate> Questions, IReadOnlyList<RecordedCard> Messages);

internal sealed record Assumptions
{
    /// <summary>Nothing is assumed: the real checks are asked once, and it ends at the first question, or before a step acts without one.</summary>
    public bool IsLive { get; init; }

    /// <summary>What diagnosis finds. By default the checks that the mitigation is for fail, and the others pass.</summary>
    public IReadOnlyDictionary<string, ScriptedAnswer> Findings { get; init; } = new Dictionary<string, ScriptedAnswer>();

    /// <summary>What a check answers after the steps; by default it passes.</summary>
    public IReadOnlyDictionary<string, ScriptedAnswer> Afterwards { get; init; } = new Dictionary<string, ScriptedAnswer>();

    public IReadOnlyDictionary<string, ScriptedStep> Steps { get; init; } = new Dictionary<string, ScriptedStep>();

    /// <summary>The answer to every question; null where nobody answers.</summary>
    public DecisionVerb? Decision { get; init; } = DecisionVerb.Approve;

    public required string By { get; init; }

    public TimeSpan After { get; init; } = TimeSpan.FromMinutes(1);

    public WorldScript ScriptFor(Runbook runbook) => IsLive ? new() { IsLive = true } : new()
    {
        Checks = runbook.Diagnosis.Where(IsAssumed).Select(check => check.Name)
            .Concat(Findings.Keys).Concat(Afterwards.Keys).Distinct()
            .ToDictionary(check => check, check => new List<ScriptedAnswer> { Found(runbook, check) }),
        Afterwards = runbook.Diagnosis.Where(IsAssumed).Select(check => check.Name).Concat(Findings.Keys).Concat(Afterwards.Keys).Distinct()
            .ToDictionary(check => check, check => Afterwards.GetValueOrDefault(check) ?? Assumed("passing")),
        AssumesOutputs = true,
        Steps = new(Steps),
    };

    /// <summary>It gives its own finding, unless another one is assumed.</summary>
    private static bool IsAssumed(CheckSpec check) => check.Check != BuiltInSteps.Always;

    private ScriptedAnswer Found(Runbook runbook, string check)
    {
        var when = runbook.Mitigation.When.Checks;
        return Findings.GetValueOrDefault(check) ?? Assumed(when.Count == 0 || when.Contains(check) ? "failing" : "passing");
    }

    private static ScriptedAnswer Assumed(string verdict) => new() { Verdict = verdict, Summary = "Assumed." };
}
