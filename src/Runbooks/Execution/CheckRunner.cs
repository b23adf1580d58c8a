using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Telemetry;

namespace Runbooks.Execution;

/// <summary>Asks one question. Whatever goes wrong on the way is a finding too: unknown, with the reason.</summary>
public sealed class CheckRunner(StepCatalog catalog, StepContextFactory contexts, TimeProvider time, ILogger<CheckRunner> logger)
{
    /// <summary>Asks all at once.</summary>
    public Task<Finding[]> AskAllAsync(Incident incident, IEnumerable<CheckSpec> specs, CancellationToken cancellationToken) =>
        Task.WhenAll(specs.Select(spec => AskAsync(incident, spec, cancellationToken)));

    public async Task<Finding> AskAsync(Incident incident, CheckSpec spec, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var result = await AnswerAsync(incident, spec, cancellationToken);
        var took = time.GetElapsedTime(began);
        Instruments.Checks.Record(
            took.TotalSeconds, Instruments.Tag(Attributes.Runbook, incident.RunbookId), Instruments.Tag(Attributes.Check, spec.Check), Instruments.Tag(Attributes.Verdict, CamelCase.Of(result.Verdict)));
        return new Finding(spec.Name, spec.Ask, Clean(result).Bounded(), time.GetUtcNow(), took);
    }

    private static CheckResult Clean(CheckResult result) => result with
    {
        Summary = Redactor.Redact(result.Summary),
        Value = result.Value is null ? null : Redactor.Redact(result.Value),
        Link = result.Link is null ? null : Redactor.Redact(result.Link),
    };

    private async Task<CheckResult> AnswerAsync(Incident incident, CheckSpec spec, CancellationToken cancellationToken)
    {
        if (catalog.FindCheck(spec.Check) is not { } check)
        {
            return CheckResult.Unknown($"This host has no check '{spec.Check}'.");
        }

        var binding = StepBinding.Of(spec.With, check.ParametersType, IncidentTemplateScope.Of(incident));
        if (binding.Parameters is not { } parameters)
        {
            return CheckResult.Unknown(binding.Problem ?? "Its parameters need outputs of steps that have not run.");
        }

        try
        {
            var context = contexts.For(incident, check.Name, $"{incident.Id}:diagnosis:{spec.Name}");
            var result = await Deadline.WithinAsync(spec.Timeout, time, token => check.AskAsync(parameters, context, token), cancellationToken);
            return result with { Summary = Redactor.Redact(result.Summary, binding.Secrets) };
        }
        catch (TimeoutException late)
        {
            return CheckResult.Unknown($"{spec.Check}: {late.Message}.");
        }
        // A check may fail in any way; one that does never stops the others, and its failure is shown.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CheckFailed(logger, spec.Check, incident.Id, Redactor.Redact(failure, binding.Secrets));
            return CheckResult.Unknown(Redactor.Redact($"{spec.Check}: {failure.Message}", binding.Secrets));
        }
    }
}
