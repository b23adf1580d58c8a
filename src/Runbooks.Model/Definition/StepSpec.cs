using System.Text.Json;

namespace Runbooks.Model.Definition;

/// <summary>One step of a phase that acts.</summary>
/// <param name="Name">Unique in the runbook; outputs are read as <c>steps.{name}.{output}</c>.</param>
/// <param name="Do">The registered action.</param>
/// <param name="With">Its parameters, a JSON object whose strings may be templates.</param>
/// <param name="Timeout">The longest one attempt may take.</param>
/// <param name="Retry">How a failed attempt of a repeatable action is tried again.</param>
public sealed record StepSpec(string Name, string Do, JsonElement With, TimeSpan Timeout, StepRetry Retry)
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(5);
}

/// <summary>Attempts of one step, the first included, and the pause before the second; later pauses double.</summary>
public sealed record StepRetry(int Attempts, TimeSpan Delay)
{
    public static readonly StepRetry Default = new(3, TimeSpan.FromSeconds(5));
}
