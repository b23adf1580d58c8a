using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>One story of each kind that the orchestrator can tell, by name; each ends.</summary>
internal static class Stories
{
    private static readonly Runbook s_runbook = Given.Runbook();
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    public static IReadOnlyDictionary<string, Func<IncidentWorld, Task<Incident>>> All { get; } = new Dictionary<string, Func<IncidentWorld, Task<Incident>>>
    {
        ["not-needed"] = world =>
        {
            world.Script.Verdicts["stuck"] = world.Script.Verdicts["full"] = Verdict.Passing;
            return world.OpenAsync(s_runbook);
        },
        ["not-needed-after-a-while"] = async world =>
        {
            world.Script.Verdicts["stuck"] = world.Script.Verdicts["full"] = Verdict.Passing;
            var opened = await world.OpenAsync(s_runbook with { Limits = new() });
            return await world.AdvanceAsync(opened.Id, 3 * s_minute);
        },
        ["approved"] = world => DecideAsync(world, s_runbook, DecisionVerb.Approve, helps: true),
        ["verified-twice"] = async world =>
        {
            var verifying = await DecideAsync(world, s_runbook with { Mitigation = s_runbook.Mitigation with { Verify = s_runbook.Mitigation.Verify! with { SuccessThreshold = 2 } } }, DecisionVerb.Approve, helps: true);
            return await world.AdvanceAsync(verifying.Id, s_minute);
        },
        ["rejected"] = world => DecideAsync(world, s_runbook, DecisionVerb.Reject),
        ["taken-over"] = world => DecideAsync(world, s_runbook, DecisionVerb.TakeOver),
        ["expired"] = async world => await world.AdvanceAsync((await world.OpenAsync(s_runbook)).Id, 30 * s_minute),
        ["self-recovered"] = async world =>
        {
            var opened = await world.OpenAsync(s_runbook);
            world.Script.Verdicts["stuck"] = world.Script.Verdicts["full"] = Verdict.Passing;
            return await world.ResolveAlertAsync(opened.Id);
        },
        ["self-healing"] = async world =>
        {
            Helps(world);
            return await world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } });
        },
        ["did-not-help"] = async world => await world.AdvanceAsync((await DecideAsync(world, s_runbook, DecisionVerb.Approve)).Id, 10 * s_minute),
        ["stopped-while-verifying"] = async world =>
        {
            var waiting = await DecideAsync(world, s_runbook, DecisionVerb.Approve);
            await world.AdvanceAsync(waiting.Id, s_minute);
            return await world.StopAsync(waiting.Id);
        },
        ["step-fails"] = async world =>
        {
            world.Script.BeforeActing = _ => new IOException("refused");
            return await world.AdvanceAsync((await DecideAsync(world, s_runbook, DecisionVerb.Approve)).Id, 60 * s_minute);
        },
        ["plan-changed"] = async world =>
        {
            Helps(world);
            var opened = await world.OpenAsync(s_runbook);
            world.Script.Identities["fix"] = "another";
            var (asked, _) = await world.DecideAsync(opened.Id, DecisionVerb.Approve);
            return (await world.DecideAsync(asked.Id, DecisionVerb.Approve)).Incident;
        },
        ["resolution-asks"] = async world =>
        {
            var asked = await DecideAsync(world, s_runbook with { Resolution = s_runbook.Resolution with { Approval = Given.Approval() } }, DecisionVerb.Approve, helps: true);
            return (await world.DecideAsync(asked.Id, DecisionVerb.Approve)).Incident;
        },
        ["lease"] = async world =>
        {
            var lease = new Hold(["full"], StableFor: 5 * s_minute, AtMost: 120 * s_minute, Every: TimeSpan.FromSeconds(30));
            var held = await DecideAsync(world, s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } }, DecisionVerb.Approve, helps: true);
            await world.AdvanceAsync(held.Id, 20 * s_minute);
            world.Script.Verdicts["full"] = Verdict.Passing;
            return await world.AdvanceAsync(held.Id, 20 * s_minute);
        },
        ["lease-continued-as-new"] = async world =>
        {
            var lease = new Hold(["full"], StableFor: 5 * s_minute, AtMost: TimeSpan.FromDays(7), Every: TimeSpan.FromSeconds(30));
            var held = await DecideAsync(world, s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } }, DecisionVerb.Approve, helps: true);
            await world.AdvanceAsync(held.Id, TimeSpan.FromHours(6));
            world.Script.Verdicts["full"] = Verdict.Passing;
            return await world.AdvanceAsync(held.Id, 20 * s_minute);
        },
        ["lease-paged"] = async world =>
        {
            var lease = new Hold(["full"], StableFor: 5 * s_minute, AtMost: 10 * s_minute, Every: TimeSpan.FromSeconds(30));
            var held = await DecideAsync(world, s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } }, DecisionVerb.Approve, helps: true);
            await world.AdvanceAsync(held.Id, 60 * s_minute);
            world.Script.Verdicts["full"] = Verdict.Passing;
            return await world.AdvanceAsync(held.Id, 60 * s_minute);
        },
        ["undo-while-paused"] = async world =>
        {
            var lease = new Hold(["full"], StableFor: 5 * s_minute, AtMost: 120 * s_minute, Every: TimeSpan.FromSeconds(30));
            var held = await DecideAsync(world, s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } }, DecisionVerb.Approve, helps: true);
            world.Engine.Broken.Add(UndoSteps.Name);
            world.Script.Verdicts["full"] = Verdict.Passing;
            await world.AdvanceAsync(held.Id, 8 * s_minute);
            await world.Get<KillSwitch>().EngageAsync("ada", "hands off", CancellationToken.None);
            world.Engine.Broken.Clear();
            await world.AdvanceAsync(held.Id, 60 * s_minute);
            await world.Get<KillSwitch>().ReleaseAsync("ada", "go on", stop: null, CancellationToken.None);
            return await world.AdvanceAsync(held.Id, 60 * s_minute);
        },
        ["diagnosis-fails"] = async world =>
        {
            world.Engine.Broken.Add(Diagnose.Name);
            var asked = await world.OpenAsync(s_runbook);
            for (var i = 0; i < 240 && asked.State != IncidentState.AwaitingApproval; i++)
            {
                asked = await world.AdvanceAsync(asked.Id, s_minute);
            }

            return (await world.DecideAsync(asked.Id, DecisionVerb.Reject)).Incident;
        },
        ["round-fails"] = async world =>
        {
            world.Engine.Broken.Add(Recheck.Name);
            var verifying = await DecideAsync(world, s_runbook, DecisionVerb.Approve, helps: true);
            await world.AdvanceAsync(verifying.Id, 60 * s_minute);
            world.Engine.Broken.Clear();
            return await world.AdvanceAsync(verifying.Id, 60 * s_minute);
        },
        ["waits-for-its-turn"] = async world =>
        {
            await world.OthersActForAsync(20 * s_minute);
            var waiting = await DecideAsync(world, s_runbook, DecisionVerb.Approve, helps: true);
            return await world.AdvanceAsync(waiting.Id, 60 * s_minute);
        },
        ["covered-by-another-that-is-not-open"] = world =>
            DecideAsync(world, s_runbook with { SuppressedBy = new("other", "{{ labels.pod }}", 60 * s_minute) }, DecisionVerb.Approve, helps: true),
        ["by-hand"] = async world => await SayDoneAsync(world, ManualStepTests.Runbook(new { instruction = "Swap it.", who = (string[])["hands"] }), helps: true),
        ["by-hand-taken-back"] = async world =>
        {
            var done = await SayDoneAsync(world, ManualStepTests.Runbook(new { instruction = "Swap it.", who = (string[])["hands"], undo = "Put it back." }), helps: false);
            await world.AdvanceAsync(done.Id, 6 * s_minute);
            return (await world.DecideAsync(done.Id, DecisionVerb.Approve)).Incident;
        },
        ["settle-window"] = async world =>
        {
            var resolved = await DecideAsync(world, s_runbook with { Limits = s_runbook.Limits with { SettleFor = 10 * s_minute } }, DecisionVerb.Approve, helps: true);
            await world.AdvanceAsync(resolved.Id, 2 * s_minute);
            await world.Engine.RaiseAsync(resolved.Id, resolved.WakeEvent!);
            return await world.AdvanceAsync(resolved.Id, 20 * s_minute);
        },
    };

    private static async Task<Incident> DecideAsync(IncidentWorld world, Runbook runbook, DecisionVerb verb, bool helps = false)
    {
        var opened = await world.OpenAsync(runbook);
        if (helps)
        {
            Helps(world);
        }

        return (await world.DecideAsync(opened.Id, verb)).Incident;
    }

    private static async Task<Incident> SayDoneAsync(IncidentWorld world, Runbook runbook, bool helps)
    {
        var asked = await DecideAsync(world, runbook, DecisionVerb.Approve);
        world.Script.Verdicts["stuck"] = helps ? Verdict.Passing : Verdict.Failing;
        return (await world.DecideAsync(asked.Id, DecisionVerb.Approve)).Incident;
    }

    private static void Helps(IncidentWorld world) => world.Script.OnDone = _ => world.Script.Verdicts["stuck"] = Verdict.Passing;
}
