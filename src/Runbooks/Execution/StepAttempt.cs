using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;

namespace Runbooks.Execution;

/// <summary>One try of a step, and how far it has come.</summary>
/// <param name="Known">The record of an attempt that began before; null on the first.</param>
internal sealed record StepAttempt(Incident Incident, StepRequest Request, StepSpec Spec, IAction Action, StepRecord? Known, StepContext Context)
{
    public StepBinding Binding { get; } = StepBinding.Of(Spec.With, Action.ParametersType, IncidentTemplateScope.Of(Incident));

    public Gate? Gate => Incident.FindGate(Request.GateId);

    public int Number => (Known?.Attempts ?? 0) + 1;

    /// <summary>Its intent is on record: from here on it may have changed something.</summary>
    public bool Acts { get; set; }

    /// <summary>The action has said what it did, so whatever fails now is no failure of the action.</summary>
    public bool IsOver { get; set; }

    public string Redact(string text) => Redactor.Redact(text, Binding.Secrets);

    public Exception Redact(Exception failure) => Redactor.Redact(failure, Binding.Secrets);

    /// <summary>Actions quote systems that may say anything; what a later step reads from it has no secret either.</summary>
    public ActionResult Clean(ActionResult result) => result with
    {
        Result = Redact(result.Result),
        Outputs = result.Outputs.ToDictionary(output => output.Key, output => Redact(output.Value)),
    };
}
