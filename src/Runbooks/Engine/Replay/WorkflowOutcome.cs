namespace Runbooks.Engine.Replay;

/// <summary>How a workflow ended: with a result as JSON, or with the reason why it failed.</summary>
public sealed record WorkflowOutcome(bool Succeeded, string Text);
