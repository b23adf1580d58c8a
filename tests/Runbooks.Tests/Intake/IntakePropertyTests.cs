using CsCheck;
using Runbooks.Approvals;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Watchdog;
using TestKit;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>
/// Intake under random sequences of firing, repeated, resolved and late messages, episodes, clocks, targets, causes that cover
/// the symptom, crashes and people's decisions: every alert is accounted for, no question is withdrawn while its check
/// fails, no episode asks again that a person said no to, and nothing waits for ever without anybody being asked.
/// </summary>
public sealed class IntakePropertyTests
{
    private static readonly DateTimeOffset s_start = Given.Night.AddDays(-1);

    public enum Kind { Fire, FireAgain, Resolve, NoAllClear, Flap, FireCause, ResolveCause, Reject, TakeOver, Close, Approve, Cancel, CheckPasses, CheckFails, Crash, Wait }

    private static readonly Gen<Happening> s_happening =
        from kind in Gen.Frequency((5, Gen.Const(Kind.Fire)), (3, Gen.Const(Kind.Resolve)), (6, Gen.Int[0, (int)Kind.Wait].Select(k => (Kind)k)))
        from target in Gen.Int[0, 1]
        from alert in Gen.Int[0, 2]
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

            await play.EndAsync();
            play.Violations.ShouldBeEmpty(string.Join(", ", (IEnumerable<Happening>)happenings));
        },
        iter: Rounds.Of(80),
        threads: 1);

    /// <param name="Alert">The third is more severe than the others.</param>
    /// <param name="Episode">Each starts an hour after the one before; messages come in any order.</param>
    /// <param name="Skew">Minutes by which the sender's clock is wrong.</param>
    public sealed record Happening(Kind Kind, int Target, int Alert, int Episode, int Skew)
    {
        /// <summary>Minutes that the episode lasted, in messages of its end.</summary>
        public int Length { get; init; } = 30;

        public bool IsOfCause => Kind is Kind.FireCause or Kind.ResolveCause;

        public Alert Message() => Given.Alert() with
        {
            Fingerprint = IsOfCause ? $"cause-{Target}" : $"f-{Target}-{Alert}",
            Name = IsOfCause ? "Cause" : Given.Alert().Name,
            Severity = Alert == 2 ? "critical" : "warning",
            Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = $"p{Target}" },
            StartsAt = s_start.AddHours(Episode).AddMinutes(Skew),
            EndsAt = Kind is Kind.Resolve or Kind.NoAllClear or Kind.ResolveCause ? s_start.AddHours(Episode).AddMinutes(Length + Skew) : null,
            Status = Kind is Kind.Resolve or Kind.NoAllClear or Kind.ResolveCause ? AlertStatus.Resolved : AlertStatus.Firing,
            Annotations = Kind == Kind.NoAllClear ? new Dictionary<string, string> { ["grafana_state_reason"] = "MissingSeries" } : new Dictionary<string, string>(),
        };
    }

    private sealed class Play : IAsyncDisposable
    {
        private static readonly Runbook s_cause = Given.Runbook() with
        {
            Id = "cause",
            Hash = "hash-of-cause",
            Trigger = [new(null, "Cause", [], new Dictionary<string, string>())],
            Diagnosis = [Given.Check("stuck")],
            Resolution = new(),
        };

        private readonly IntakeWorld _world = new(
            services => services.AddWatchdog(),
            Given.Runbook() with { Resolution = new(), Diagnosis = [Given.Check("stuck")], SuppressedBy = new("cause", "{{ labels.namespace }}/{{ labels.pod }}", TimeSpan.FromMinutes(30)) },
            s_cause);

        /// <summary>Episodes that a person said no to: the alert, and its episode.</summary>
        private readonly HashSet<(string Fingerprint, DateTimeOffset Start)> _refused = [];

        /// <summary>Alerts whose episodes lie so near that only the exact start tells them apart.</summary>
        private readonly HashSet<string> _flapped = [];
        private bool _failing = true;

        public List<string> Violations { get; } = [];

        public async Task HappenAsync(Happening happening)
        {
            var withdrawn = Count(IncidentState.SelfRecovered);
            switch (happening.Kind)
            {
                case Kind.Fire or Kind.FireAgain or Kind.Resolve or Kind.NoAllClear or Kind.FireCause or Kind.ResolveCause:
                    await TakeAsync(happening);
                    break;
                case Kind.Flap:
                    _flapped.Add(happening.Message().Fingerprint);
                    for (var minute = 0; minute < 12; minute += 4)
                    {
                        await TakeAsync(happening with { Kind = Kind.Fire, Skew = minute });
                        await TakeAsync(happening with { Kind = Kind.Resolve, Skew = minute, Length = 2 });
                    }

                    await TakeAsync(happening with { Kind = Kind.Fire, Skew = 12 });

                    break;
                case Kind.Cancel when _world.World.Store.All.LastOrDefault(incident => !incident.State.IsFinal()) is { } open:
                    await _world.World.Get<IncidentVerbService>().StopAsync(open.Id, "ada", "known", CancellationToken.None);
                    Refuse((await _world.World.AdvanceAsync(open.Id, TimeSpan.FromMinutes(1))));
                    break;
                case Kind.Crash when _world.World.Store.All.Count > 0:
                    await _world.World.Engine.CrashAsync();
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
            Must(_world.World.Store.All.GroupBy(incident => (incident.RunbookId, incident.Target)).All(group => group.Count(incident => !incident.State.IsFinal()) <= 1), "two incidents are open on one target");
            Must(_world.World.Store.All.All(incident => Incident.FindBreak(incident.Id, incident.Timeline) is null), "a timeline is broken");
        }

        /// <summary>After a while in which nothing happens, longer than an alert that flaps is watched, nothing is left that nobody looks at.</summary>
        public async Task EndAsync()
        {
            for (var minute = 0; minute < 68 && _world.World.Store.All.Count > 0; minute += 4)
            {
                await _world.World.AdvanceAsync(_world.World.Store.All[0].Id, TimeSpan.FromMinutes(4));
                await _world.World.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
                await _world.World.Engine.SettleAsync();
            }

            foreach (var incident in _world.World.Store.All)
            {
                var latest = _world.World.Store.All.Last(other => other.RunbookId == incident.RunbookId && other.Target == incident.Target);
                Must(!incident.HoldsUnasked() || latest.Id != incident.Id, "what came after a no to a flapping alert fires on and was never asked about");
                Must(!incident.IsWaitingForOther, "an incident waits longer than it may");
                Must(incident.State is not (IncidentState.Diagnosing or IncidentState.AwaitingApproval) || incident.OpenGate is not null, "an incident is open and asks nobody");
                Must(incident.Timeline.Count < 100, "a timeline grows without bound");
            }
        }

        public ValueTask DisposeAsync() => _world.DisposeAsync();

        private async Task TakeAsync(Happening happening)
        {
            var message = happening.Message();
            var asking = _world.World.Store.All.Count;
            var outcome = (await _world.TakeAsync(message)).ShouldHaveSingleItem();

            Must(outcome.Outcome != IntakeResult.Ignored || !string.IsNullOrEmpty(outcome.Reason), "ignored without a reason");
            var endsNone = message.Status == AlertStatus.Resolved && outcome is { Outcome: IntakeResult.Folded, Reason: { } why } && why.Contains("this ends none", StringComparison.Ordinal);
            Must(outcome.Outcome == IntakeResult.Ignored || endsNone || outcome.Id is { } id && _world.World.Store.All.Single(i => i.Id == id).Alerts.Any(a => a.Is(message)), "the incident does not know the alert");
            Must(outcome.Outcome != IntakeResult.Ignored || message.Status == AlertStatus.Resolved || _world.World.Store.All.Any(i => i.IsOfEarlierEpisode(message)), "a firing alert was ignored");
            Must(outcome.Outcome != IntakeResult.Opened || !_failing || Opened(outcome) is { } opened && (opened.Gates.Count > 0 || opened.IsWaitingForOther), "an incident began and asked nobody although its check fails");
            Must(_world.World.Store.All.Count == asking || !IsRefused(message), "an episode asks again that a person said no to");
        }

        private Incident Opened(IntakeOutcome outcome) => _world.World.Store.All.Single(incident => incident.Id == outcome.Id);

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
            if (incident.SaidNo() is null)
            {
                return;
            }

            foreach (var alert in incident.Alerts.Where(alert => alert.StartsAt is not null))
            {
                _refused.Add((alert.Fingerprint, alert.StartsAt!.Value));
            }
        }

        private bool IsRefused(Alert message) => _refused.Any(refused =>
            refused.Fingerprint == message.Fingerprint
            && (refused.Start == message.StartsAt || (!_flapped.Contains(message.Fingerprint) && (refused.Start - message.StartsAt!.Value).Duration() <= Episode.Tolerance)));

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
