using System.ComponentModel;
using Runbooks.Model.Incidents;

namespace Runbooks.Catalog.Steps;

/// <summary>A check that finds what it is told to: for trying a runbook, and for one that trusts its alert.</summary>
internal sealed class AlwaysCheck() : Check<AlwaysCheck.Parameters>(BuiltInSteps.Always, "Finds what the runbook says, without looking at anything.")
{
    public sealed record Parameters
    {
        [Description("The finding.")]
        public required Verdict Finding { get; init; }
    }

    protected override Task<CheckResult> AskAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new CheckResult(parameters.Finding, "As the runbook says; nothing was looked at."));
}
