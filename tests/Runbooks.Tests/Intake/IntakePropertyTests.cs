using CsCheck;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Some = TestKit.Incidents.Some;

namespace Runbooks.Tests.Intake;

/// <summary>
/// Intake under random sequences of firing, repeated, resolved and late messages, episodes, clocks, targets and people's
/// decisions: every alert is accounted for, no question is withdrawn while its check fails, and no episode asks again
/// that a person said no to.
/// </summary>
public sealed class IntakePropertyTests
{
    private static readonly int s_cases = int.TryParse(Environment.GetEnvironmentVariable("MODEL_CASES"), out var cases) ? cases : 300;
    private static readonly DateTimeOffset s_start = Some.Night.AddDays(-1);

    public enum Kind { Fire, FireAgain, Resolve, NoAllClear, Reject, TakeOver, Close, Approve, CheckPasses, CheckFails, Wait }

    private static readonly Gen<Happening> s_happening =
        from kind in Gen.Frequency((5, Gen.Const(Kind.Fire)), (3, Gen.Const(Kind.Resolve)), (6, Gen.Int[0, (int)Kind.Wait].Select(k => (Kind)k)))
        from target in Gen.Int[0, 1]
        from alert in Gen.Int[0, 1]
        from episode in Gen.Int[0, 3]
        from skew in Gen.Frequency((4, Gen.Const(0)), (1, Gen.Int[-2, 2]))
        select new Happening(kind, target, alert, episode, skew);

    [Fact]
    public Task WhateverIsReportedAndDecided_NothingIsLostWithdrawnOrAskedTwice() => s_happening.Array[1, 14].SampleAsync(
        async happenings =>
        {
            await using var play = new Play();
            foreach (var happening in happenings)
            {
                await play.HappenAsync(happening);
            }

            play.Violations.ShouldBeEmpty(string.Join(", ", (IEnumerable<Happening>)happenings));
        },
        iter: s_cases,
        threads: 1);

    /// <param name="Episode">Each starts an hour after the one before; messages come in any order.</param>
    /// <param name="Skew">Minutes by which the sender's clock is wrong.</param>
    public sealed record Happening(Kind Kind, int Target, int Alert, int Episode, int Skew)
    {
        public Alert Message() => Some.Alert() with
        {
            Fingerprint = $"f-{Target}-{Alert}",
            Name = Some.Alert().Name,
            Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = $"p{Target}" },
            StartsAt = s_start.AddHours(Episode).AddMinutes(Skew),
            EndsAt = Kind is Kind.Resolve or Kind.NoAllClear ? s_start.AddHours(Episode).AddMinutes(30 + Skew) : null,
            Status = Kind is Kind.Resolve or Kind.NoAllClear ? AlertStatus.Resolved : AlertStatus.Firing,
            Annotations = Kind == Kind.NoAllClear ? new Dictionary<string, string> { ["grafana_state_reason"] = "MissingSeries" } : new Dictionary<string, string>(),
        };
    }

    private sealed class Play : IAsyncDisposable
    {
        private readonly IntakeWorld _world = new(Some.Runbook() with { Resolution = new(), Diagnosis = [Some.Check("stuck")] });

        /// <summary>Episodes that a person said no to: the alert, and its episode.</summary>
        private readonly HashSet<(string Fingerprint, int Episode)> _refused = [];
        private bool _failing = true;

        public List<string> Violations { get; } = [];

        public async Task HappenAsync(Happening happening)
        {
            var withdrawn = Count(IncidentState.SelfRecovered);
            switch (happening.Kind)
            {
                case Kind.Fire or Kind.FireAgain or Kind.Resolve or Kind.NoAllClear:
                    await TakeAsync(happening);
                    break;
                case Kind.Reject or Kind.TakeOver or Kind.Approve:
                    await DecideAsync(happening);
                    break;
                case Kind.Close when _world.World.Store.All.LastOrDefault(incident => incident.IsOwnedByResponder()) is { } owned:
                    await _world.World.Store.UpdateAsync(owned.Id, i => (i.CloseByHand("ada", "done", _world.World.Time.GetUtcNow()), true), CancellationToken.None);
                    Refuse(owned);
                    break;
                case Kind.CheckPasses or Kind.CheckFails:
                    _failing = happening.Kind == Kind.CheckFails;
                    _world.World.Script.Verdicts["stuck"] = _failing ? Verdict.Failing : Verdict.Passing;
                    break;
                case Kind.Wait when _world.World.Store.All is [var first, ..]:
                    await _world.World.AdvanceAsync(first.Id, TimeSpan.FromMinutes(2));
                    break;
                default:
                    break;
            }

            await _world.World.Engine.SettleAsync();
            Must(!_failing || Count(IncidentState.SelfRecovered) == withdrawn, "a question was withdrawn while its check fails");
            Must(_world.World.Store.All.GroupBy(incident => incident.Target).All(group => group.Count(incident => !incident.State.IsFinal()) <= 1), "two incidents are open on one target");
            Must(_world.World.Store.All.All(incident => Incident.FindBreak(incident.Id, incident.Timeline) is null), "a timeline is broken");
        }

        public ValueTask DisposeAsync() => _world.DisposeAsync();

        private async Task TakeAsync(Happening happening)
        {
            var message = happening.Message();
            var asking = _world.World.Store.All.Count;
            var outcome = (await _world.TakeAsync(message)).ShouldHaveSingleItem();

            Must(outcome.Outcome != IntakeResult.Ignored || !string.IsNullOrEmpty(outcome.Reason), "ignored without a reason");
            Must(outcome.Outcome == IntakeResult.Ignored || outcome.Id is { } id && _world.World.Store.All.Single(i => i.Id == id).Alerts.Any(a => a.Is(message)), "the incident does not know the alert");
            Must(outcome.Outcome != IntakeResult.Ignored || message.Status == AlertStatus.Resolved || _world.World.Store.All.Any(i => i.IsOfEarlierEpisode(message)), "a firing alert was ignored");
            Must(_world.World.Store.All.Count == asking || !_refused.Contains((message.Fingerprint, happening.Episode)), "an episode asks again that a person said no to");
        }

        private async Task DecideAsync(Happening happening)
        {
            if (_world.World.Store.All.LastOrDefault(incident => incident.OpenGate is not null && incident.Target.EndsWith($"p{happening.Target}", StringComparison.Ordinal)) is not { } asked)
            {
                return;
            }

            var verb = happening.Kind switch { Kind.Reject => DecisionVerb.Reject, Kind.TakeOver => DecisionVerb.TakeOver, _ => DecisionVerb.Approve };
            var (incident, _) = await _world.World.DecideAsync(asked.Id, verb);
            if (incident.State == IncidentState.Rejected)
            {
                Refuse(incident);
            }
        }

        private void Refuse(Incident incident)
        {
            foreach (var alert in incident.Alerts.Where(alert => alert.StartsAt is not null))
            {
                _refused.Add((alert.Fingerprint, (int)Math.Round((alert.StartsAt!.Value - s_start).TotalHours)));
            }
        }

        private int Count(IncidentState state) => _world.World.Store.All.Count(incident => incident.State == state);

        private void Must(bool holds, string otherwise)
        {
            if (!holds)
            {
                Violations.Add(otherwise);
            }
        }
    }
}
