namespace Runbooks.Engine;

/// <summary>An activity threw on its last permitted attempt. Carries text only: history never holds an exception object.</summary>
public sealed class ActivityFailedException(string activity, string message)
    : Exception($"{activity} failed: {message}")
{
    /// <summary>The name of the activity.</summary>
    public string Activity { get; } = activity;

    /// <summary>The message of the exception that the activity threw last.</summary>
    public string Failure { get; } = message;
}
