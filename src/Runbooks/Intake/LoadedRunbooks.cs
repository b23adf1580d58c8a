using Runbooks.Model.Definition;

namespace Runbooks.Intake;

/// <summary>The runbooks as they are loaded at this moment; what was taken in before stays pinned to its own version.</summary>
public delegate IReadOnlyCollection<Runbook> LoadedRunbooks();
