using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;

namespace Runbooks.Approvals;

/// <summary>Asks each action to prepare without acting.</summary>
public sealed class PlanBuilder(StepCatalog catalog, StepContextFactory contexts, TimeProvider time, ILogger<PlanBuilder> logger)
{
    private const int LongestEffect = 500;

    /// <summary>Steps that ran under an earlier gate are not planned again.</summary>
    public async Task<Plan> MakeAsync(Incident incident, Runbook runbook, Phase phase, CancellationToken cancellationToken)
    {
        var steps = new List<PlannedStep>();
        var (blockers, later) = (new List<string>(), new List<string>());
        var open = runbook.CoveredBy(phase)
            .Where(covered => incident.FindStep(covered.Phase, covered.Step.Name) is not { FinishedAt: not null });
        foreach (var (stepPhase, spec) in open)
        {
            var (planned, unusable, blocker) = await PlanAsync(incident, runbook, stepPhase, spec, cancellationToken);

            // Identities of a resolution without an approval of its own are not compared: the mitigation may change them itself.
            planned = stepPhase == phase || !catalog.ChangeSomething(runbook.Mitigation.Steps)
                ? planned
                : planned with { Identity = null };
            steps.Add(planned);

            // The mitigation may change what a later step finds; faulty parameters stay faulty.
            if (stepPhase == phase && (unusable ?? blocker) is { } why)
            {
                blockers.Add($"Step '{spec.Name}': {why}");
            }
            else if (unusable is not null)
            {
                later.Add($"Step '{spec.Name}': {unusable}");
            }
        }

        return new Plan(PlanHash.Of(incident, steps), steps, Joined(blockers))
        {
            LaterBlocker = Joined(later) is { } reasons
                ? $"The resolution cannot come to its end as things are. {reasons}"
                : null,
        };
    }

    private static string? Joined(List<string> sentences) => sentences.Count == 0 ? null : string.Join(" ", sentences);

    /// <returns>Unusable: it can never run. Blocker: the preparation found that it cannot run now.</returns>
    private async Task<(PlannedStep Step, string? Unusable, string? Blocker)> PlanAsync(
        Incident incident, Runbook runbook, Phase phase, StepSpec spec, CancellationToken cancellationToken)
    {
        if (catalog.FindAction(spec.Do) is not { } action)
        {
            var unknown = new PlannedStep(phase, spec.Name, spec.Do, JsonElement.Parse("{}"), $"Run {spec.Do}.", null, null);
            return (unknown, $"this host has no action '{spec.Do}'.", null);
        }

        var binding = StepBinding.Of(spec.With, action.ParametersType, IncidentTemplateScope.Of(incident), RenderMode.Plan);
        var effect = Clip.To(action.IsManual ? ManualAction.Planned(binding.Shown) : action.Summary, LongestEffect);
        var unseen = new PlannedStep(phase, spec.Name, spec.Do, binding.Shown, effect, null, null, Deferred: true)
        {
            TellsOnly = action.TellsOnly,
        };
        if (binding.Parameters is not { } parameters)
        {
            var reversal = action.ReversalOf(spec.With);
            var undo = reversal switch
            {
                _ when action.TellsOnly => BuiltInSteps.NothingToBringBack,
                Reversal.Undone => "Possible; how depends on the steps before it.",
                Reversal.Kept => "Left to a person.",
                _ => null,
            };
            var unbound = unseen with
            {
                Undo = undo,
                UndoneByHand = reversal == Reversal.Kept || action.IsManual,
                Deferred = binding.Deferred,
            };
            return (unbound, binding.Problem, null);
        }

        var key = StepRecord.KeyOf(incident.Id, phase, spec.Name);
        var earlier = incident.FindStep(phase, spec.Name)?.Preparation;
        var context = contexts.For(incident, key, earlier) with { Samples = runbook.Samples };
        var (preparation, blocker) = await PrepareAsync(action, parameters, context, spec, binding, cancellationToken);
        if (preparation is null)
        {
            return (unseen, null, blocker);
        }

        var planned = new PlannedStep(
            phase,
            spec.Name,
            spec.Do,
            binding.Shown,
            Clip.To(preparation.PlannedEffect, LongestEffect),
            preparation.Undo,
            preparation.Identity,
            UndoneByHand: preparation.UndoneByHand)
        {
            TellsOnly = action.TellsOnly,
        };
        return (planned, null, preparation.Refusal);
    }

    private async Task<(Preparation?, string?)> PrepareAsync(
        IAction action, object parameters, StepContext context, StepSpec spec, StepBinding binding, CancellationToken cancellationToken)
    {
        try
        {
            var preparation = await Deadline.WithinAsync(
                spec.LookTimeout, time, token => action.PrepareAsync(parameters, context, token), cancellationToken);
            return (binding.Clean(preparation), null);
        }
        // An action may fail in any way to prepare; people are told why there is no plan.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.StepFailed(logger, 0, spec.Name, context.IncidentId, Redactor.Redact(failure, binding.Secrets));
            return (null, Redactor.Redact(failure.Message, binding.Secrets));
        }
    }
}
