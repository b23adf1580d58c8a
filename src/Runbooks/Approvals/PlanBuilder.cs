using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Approvals;

/// <summary>Finds out what a phase would do now, by asking each action to look without acting.</summary>
public sealed class PlanBuilder(StepCatalog catalog, StepContextFactory contexts, TimeProvider time, ILogger<PlanBuilder> logger)
{
    /// <summary>Steps that ran under an earlier gate are not planned again.</summary>
    public async Task<Plan> MakeAsync(Incident incident, Runbook runbook, Phase phase, CancellationToken cancellationToken)
    {
        var steps = new List<PlannedStep>();
        var blockers = new List<string>();
        foreach (var (stepPhase, spec) in CoveredBy(runbook, phase).Where(covered => incident.FindStep(covered.Phase, covered.Spec.Name) is not { FinishedAt: not null }))
        {
            var (planned, blocker) = await PlanAsync(incident, runbook, stepPhase, spec, cancellationToken);

            // Identities of a resolution that runs on the mitigation's yes are not held to: the mitigation may change them itself.
            planned = stepPhase == phase || ChangesNothing(runbook.Mitigation) ? planned : planned with { Identity = null };
            steps.Add(planned);
            if (blocker is not null && stepPhase == phase)
            {
                blockers.Add($"Step '{spec.Name}': {blocker}");
            }
        }

        return new Plan(PlanHash.Of(incident, steps), steps, blockers.Count == 0 ? null : string.Join(" ", blockers));
    }

    /// <summary>A resolution without an approval of its own runs on the mitigation's, so it is shown there.</summary>
    private static IEnumerable<(Phase Phase, StepSpec Spec)> CoveredBy(Runbook runbook, Phase phase)
    {
        var own = runbook.StepsOf(phase).Select(spec => (phase, spec));
        return phase == Phase.Mitigation && runbook.Resolution.Approval is null
            ? own.Concat(runbook.Resolution.Steps.Select(spec => (Phase.Resolution, spec)))
            : own;
    }

    private bool ChangesNothing(Mitigation mitigation) => mitigation.Steps.All(spec => catalog.FindAction(spec.Do) is { TellsOnly: true });

    private async Task<(PlannedStep Step, string? Blocker)> PlanAsync(Incident incident, Runbook runbook, Phase phase, StepSpec spec, CancellationToken cancellationToken)
    {
        if (catalog.FindAction(spec.Do) is not { } action)
        {
            return (new(phase, spec.Name, spec.Do, default, $"Run {spec.Do}.", null, null), $"this host has no action '{spec.Do}'.");
        }

        var binding = StepBinding.Of(spec.With, action.ParametersType, IncidentTemplateScope.Of(incident), RenderMode.Plan);
        var unseen = new PlannedStep(phase, spec.Name, spec.Do, binding.Shown, action.Summary, null, null, Deferred: true) { TellsOnly = action.TellsOnly };
        if (binding.Parameters is not { } parameters)
        {
            return (unseen with { Undo = action.ReversalOf(spec.With) != Reversal.None ? "Possible; how depends on the steps before it." : null }, binding.Problem);
        }

        var context = contexts.For(incident, action.Name, StepRecord.KeyOf(incident.Id, phase, spec.Name)) with { Samples = runbook.Samples };
        var (preparation, blocker) = await PrepareAsync(action, parameters, context, spec, binding.Secrets, cancellationToken);
        return preparation is null
            ? (unseen, blocker)
            : (new(phase, spec.Name, spec.Do, binding.Shown, Clip.To(Redactor.Redact(preparation.PlannedEffect, binding.Secrets), 500), preparation.Undo, preparation.Identity, UndoneByHand: preparation.UndoneByHand) { TellsOnly = action.TellsOnly }, preparation.Refusal);
    }

    [SuppressMessage("Design", "CA1031", Justification = "An action may fail in any way to look; people are told why there is no plan.")]
    private async Task<(Preparation?, string?)> PrepareAsync(IAction action, object parameters, StepContext context, StepSpec spec, IReadOnlyList<string> secrets, CancellationToken cancellationToken)
    {
        try
        {
            return (await Deadline.WithinAsync(spec.LookTimeout, time, token => action.PrepareAsync(parameters, context, token), cancellationToken), null);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.StepFailed(logger, 0, spec.Name, context.IncidentId, Redactor.Redact(failure, secrets));
            return (null, Redactor.Redact(failure.Message, secrets));
        }
    }
}
