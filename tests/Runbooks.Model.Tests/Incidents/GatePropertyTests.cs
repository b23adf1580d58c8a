using CsCheck;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Whatever people do and however time passes, the rules of a gate hold.</summary>
public sealed class GatePropertyTests
{
    private static readonly string[] s_people = ["ada", "grace", "linus"];

    private static readonly Gen<Gate> s_gates = Gen.Select(Gen.Int[1, 3], Gen.Bool, Gen.Enum<OnTimeout>(), Gen.Bool, Gen.Int[2, 40], (required, separate, onTimeout, reversible, minutes) => Some.Gate() with
    {
        Required = required,
        SeparationOfDuties = separate,
        OnTimeout = onTimeout,
        Plan = new Plan("plan-1", [Some.Step() with { Undo = reversible ? "Put it back." : null }]),
        ExpiresAt = Some.Time.AddMinutes(minutes),
        Reminders = [new(Some.Time.AddMinutes(minutes / 3.0), []), new(Some.Time.AddMinutes(minutes / 2.0), ["platform-lead"])],
    });

    private static readonly Gen<(int Kind, string Who, DecisionVerb Verb, int Seconds)> Deeds = Gen.Select(
        Gen.Int[0, 9], Gen.Int[0, 2].Select(n => s_people[n]), Gen.Frequency((8, Gen.Const(DecisionVerb.Approve)), (1, Gen.Const(DecisionVerb.Reject)), (1, Gen.Const(DecisionVerb.TakeOver))), Gen.Int[0, 900]);

    [Fact]
    public void RulesOfAGate_HoldInEveryStory() => Gen.Select(s_gates, Deeds.Array[0, 25]).Sample((gate, deeds) =>
    {
        var now = Some.Time;
        var incident = Some.Waiting(gate: gate) with { StartedBy = "ada" };
        foreach (var (kind, who, verb, seconds) in deeds)
        {
            now = now.AddSeconds(seconds);
            var before = incident.FindGate(gate.Id)!;
            incident = kind switch
            {
                0 => incident.RequestStop(new StopRequest(who, "enough", now)),
                < 5 => Some.Advance(incident, gate.Id, now).Incident,
                _ => incident.Decide(gate.Id, new Decision(verb, who, "slack", now)).Incident,
            };
            Check(before, incident.FindGate(gate.Id)!, now);
            Incident.FindBreak(incident.Id, incident.Timeline).ShouldBeNull();
        }
    }, iter: 1_000);

    [Fact]
    public void UnansweredGate_EndsAndTellsPeopleOnTheWay() => s_gates.Sample(gate =>
    {
        var incident = Some.Waiting(gate: gate).RecordDeliveries([new($"{gate.MessageKey}:oncall@outbox", "oncall", "outbox", gate.OpenedAt, null)]);
        var messages = 0;
        for (var seconds = 0; seconds <= 90 * 60; seconds += 20)
        {
            var (next, due) = Some.Advance(incident, gate.Id, Some.Time.AddSeconds(seconds));
            incident = next;
            messages += due is null ? 0 : 1;
        }

        var ended = incident.FindGate(gate.Id)!;
        ended.Outcome.ShouldBe(gate is { OnTimeout: OnTimeout.ProceedIfReversible, Plan.Reversible: true, Required: 1, SeparationOfDuties: false } ? GateOutcome.Approved : GateOutcome.Expired);
        messages.ShouldBeGreaterThan(0);
        ended.Approvers.ShouldContain(gate.OnTimeout == OnTimeout.Escalate ? "fallback" : "oncall");
    });

    private static void Check(Gate before, Gate after, DateTimeOffset now)
    {
        if (before.Outcome != GateOutcome.Pending)
        {
            // Closed stays closed, down to the last decision.
            after.ShouldBe(before);
            return;
        }

        before.Approvers.Except(after.Approvers).ShouldBeEmpty();
        after.Decisions.ShouldAllBe(decision => decision.At < after.ExpiresAt || decision.Verb != DecisionVerb.Approve);
        var approvers = after.Decisions.Where(decision => decision.Verb == DecisionVerb.Approve).Select(decision => decision.Person).ToList();
        approvers.ShouldBeUnique();
        if (after.Outcome == GateOutcome.Approved && now < after.ExpiresAt)
        {
            approvers.Count.ShouldBe(after.Required);
            (after.SeparationOfDuties && approvers is ["ada"]).ShouldBeFalse();
        }
        else if (after.Outcome == GateOutcome.Approved)
        {
            (after is { OnTimeout: OnTimeout.ProceedIfReversible, Plan.Reversible: true, Required: 1, SeparationOfDuties: false, Decisions.Count: 0 }).ShouldBeTrue();
        }
    }
}
