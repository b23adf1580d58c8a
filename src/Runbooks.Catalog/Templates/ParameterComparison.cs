using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Templates;

/// <summary>What a runbook asks and does, with its parameters filled in from an alert.</summary>
public static class ParameterComparison
{
    /// <summary>Whether the runbook's checks and steps are the same for both alerts: looking at one of them is looking at the other. Hidden values tell nothing apart, so they are never the same.</summary>
    public static bool AreSame(Runbook runbook, string target, Alert left, Alert right) =>
        Of(runbook, target, left) is var parameters && !parameters.Contains(Redactor.Hidden, StringComparison.Ordinal) && parameters == Of(runbook, target, right);

    private static string Of(Runbook runbook, string target, Alert alert)
    {
        var scope = new TemplateScope { Alert = alert, Target = target };
        return string.Join('\n', runbook.Diagnosis.Select(check => check.With)
            .Concat(runbook.Mitigation.Steps.Concat(runbook.Resolution.Steps).Select(step => step.With))
            .SelectMany(Template.TextsOf)
            .Select(text => Template.RenderLenient(text, scope)));
    }
}
