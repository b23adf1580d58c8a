namespace Runbooks.Catalog.Steps;

/// <summary>
/// A check or an action says no for a reason that trying again will not change (a missing role, a value that is not a
/// pod name, a disruption budget). The message is shown to people: what, where and the remedy, and never a secret.
/// </summary>
public sealed class StepRefusedException(string message) : Exception(message);
