namespace Runbooks.Execution;

/// <summary>One attempt of a repeatable step failed and more are allowed: the engine runs it again.</summary>
public sealed class StepAttemptFailedException(string message) : Exception(message);
