using Runbooks.Approvals;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Testing.Simulation;

/// <summary>Plays the incident that an alert would open, on virtual time and an assumed world.</summary>
internal static class Simulator
{
    /// <exception cref="TestCaseException">The alert opens nothing.</exception>
    public static async Task<PlayedIncident> PlayAsync(Runbook runbook, IReadOnlyList<Alert> alerts, Assumptions assumed, StepCatalog real)
    {
        await using var world = await TestWorld.StartAsync(assumed.ScriptFor(runbook), runbook, real);
        var opening = await TestOpening.TakeAsync(world, alerts);
        var id = opening.Id ?? throw new TestCaseException(opening.Problem!);
        var questions = new List<Gate>();
        var end = world.Now + TestWorld.Longest;
        async Task<Gate?> NewAsync() => (await world.Get<IIncidentStore>().GetAsync(id, CancellationToken.None)).OpenGate is { } gate && questions.All(asked => asked.Id != gate.Id) ? gate : null;

        while (world.Now < end && !await world.IsOverAsync(id))
        {
            await world.PassAsync(end, async () => await NewAsync() is not null || await world.IsOverAsync(id));
            if (await NewAsync() is { } question)
            {
                questions.Add(question);
                await AnswerAsync(world, id, question, assumed);
            }
        }

        return new(await world.Get<IIncidentStore>().GetAsync(id, CancellationToken.None), questions, world.Get<SilentChannel>().Kept);
    }

    private static async Task AnswerAsync(TestWorld world, string id, Gate question, Assumptions assumed)
    {
        if (assumed.Decision is not { } verb)
        {
            return;
        }

        await world.PassAsync(question.OpenedAt + assumed.After, () => world.IsOverAsync(id));
        for (var person = 1; person <= (verb == Verb.Approve ? question.Required : 1); person++)
        {
            var by = person == 1 ? assumed.By : $"{assumed.By} ({person})";
            await world.Get<DecisionDesk>().DecideAsync(id, question.Id, new Ballot(verb, by, "simulation"), CancellationToken.None);
        }
    }
}

/// <param name="Questions">As they were when they were asked.</param>
internal sealed record PlayedIncident(Incident Incident, IReadOnlyList<Gate> Questions, IReadOnlyList<KeptCard> Messages);
