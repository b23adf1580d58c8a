using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications.Storms;

/// <summary>A storm whose questions go to a schedule.</summary>
public sealed class OnCallStormTests : OnCallWorld
{
    [Fact]
    public async Task Storm_AsksWhoeverIsOnCallAndAfterTheShiftTheNext()
    {
        _rota.Put("ada");
        _world = World(Book());
        await OpenStormAsync(Given.Approval());
        _chat.Sent.Select(sent => sent.To.Recipient).Distinct().ShouldBe(["ada"]);
        _world.Store.All.ShouldAllBe(incident => incident.InStorm && incident.OpenGate!.OnCallLines.Single() == "ada is on call by rota schedule R1.");
        _chat.Sent.Last().Card.Sections.Single(section => section.Heading == "Who is on call").Lines.ShouldBe(["ada is on call by rota schedule R1."]);

        _rota.Put("grace");
        await _world.AdvanceAsync("261123-0300-000005", TimeSpan.FromMinutes(6));

        _chat.Sent.Last(sent => sent.Card.Kind == CardKind.Reminder).To.Recipient.ShouldBe("grace");
        _world.Store.All.ShouldAllBe(incident => incident.OpenGate!.OnCall.Count == 2);
        (await DecideAsync("261123-0300-000003", "ada")).Result.Status.ShouldBe(DecisionStatus.Decided);
        (await DecideAsync("261123-0300-000004", "grace")).Result.Status.ShouldBe(DecisionStatus.Decided);
        (await DecideAsync("261123-0300-000005", "carol")).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Storm_RecordsWhomSchedulesMeantBeforeAnybodyIsTold(bool fallback)
    {
        _rota.Put("ada");
        _other.Put("carol");
        _world = World(WithScheduleAsFallback(fallback: [s_ben]));
        var (asked, recorded) = (fallback ? "carol" : "ada", new List<bool>());
        _chat.Before = (to, _) =>
        {
            recorded.Add(_world.Store.All.Where(incident => incident is { InStorm: true, OpenGate: not null }).All(incident => incident.OpenGate!.OnCall.Any(record => record.People.Contains(to.Recipient))));
            return to.Recipient == asked ? Task.CompletedTask : throw new DeliveryException("answered 400.");
        };
        await OpenStormAsync(Given.Approval());

        recorded.ShouldAllBe(before => before);
        _rota.Put("grace");
        _other.Put("grace");
        _world.Time.Advance(TimeSpan.FromMinutes(3));
        (await DecideAsync("261123-0300-000005", asked)).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task Storm_EscalationToASchedule_IsNoReminder()
    {
        _rota.Put("ada");
        _other.Put("carol");
        _world = World(Book());
        await OpenStormAsync(Given.Approval() with { RemindAfter = TimeSpan.Zero, Escalate = [new(TimeSpan.FromMinutes(5), ["second"])] });

        await _world.AdvanceAsync("261123-0300-000005", TimeSpan.FromMinutes(6));

        _chat.Sent.Last(sent => sent.To.Recipient == "carol").Card.Kind.ShouldBe(CardKind.Escalation);
    }

    /// <summary>Six incidents that ask, one after the other, and a minute later: all in one storm.</summary>
    private async Task OpenStormAsync(Approval approval)
    {
        var runbook = Asking(approval);
        for (var i = 0; i < 6; i++)
        {
            await _world!.OpenAsync(runbook, Given.Incident(runbook, $"261123-0300-{i:000000}") with { Target = $"inference/llm-b-{i}" });
        }

        await _world!.AdvanceAsync("261123-0300-000005", TimeSpan.FromMinutes(1));
    }
}
