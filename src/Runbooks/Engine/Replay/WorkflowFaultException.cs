namespace Runbooks.Engine.Replay;

/// <summary>
/// The workflow's code and the engine no longer fit together: the code asks for something else than the journal holds,
/// or it awaited something that the engine did not give it. The instance must not run on.
/// </summary>
internal sealed class WorkflowFaultException(string message) : Exception(message);
