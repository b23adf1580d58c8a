using Runbooks.Guardrails;
using Runbooks.Model.Definition;

namespace Runbooks.Web.Pages;

/// <summary>What the page about safety shows.</summary>
public sealed record SafetyModel(RunMode Mode, KillSwitchState KillSwitch, IReadOnlyList<(string Title, RunbookReport Report)> Runbooks, DateTimeOffset Now)
{
    public string ModeWords => Mode switch
    {
        RunMode.DryRun => "Dry run: nothing outside is touched, whatever runbooks and people say.",
        RunMode.ApproveAll => "A person says yes to everything, also to runbooks that heal by themselves.",
        _ => "Normal: each runbook's own mode counts.",
    };
}
