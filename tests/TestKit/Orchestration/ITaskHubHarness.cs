using Runbooks.Engine;

namespace TestKit.Orchestration;

/// <summary>All that <see cref="TaskHubContract"/> needs of a task hub under test.</summary>
public interface ITaskHubHarness : IAsyncDisposable
{
    Task StartAsync(string orchestrator, string id, object? input);

    Task RaiseAsync(string id, string name);

    Task TerminateAsync(string id, string reason);

    /// <summary>Lets everything run that can, then time pass, firing what becomes due in its order.</summary>
    Task AdvanceAsync(TimeSpan by);

    /// <summary>Waits until nothing runs: every instance is over, or waits for time or for somebody.</summary>
    Task SettleAsync();

    Task<OrchestrationEnd> WaitForEndAsync(string id);

    Task<EngineStatus?> StatusAsync(string id);

    /// <summary>JSON; null when the orchestrator showed nothing.</summary>
    Task<string?> CustomStatusAsync(string id);

    Task ForgetAsync(string id);

    /// <summary>Kills the host without warning and starts it again over what it had recorded.</summary>
    Task CrashAsync();
}

/// <param name="Text">The result as JSON, or why it failed.</param>
public sealed record OrchestrationEnd(EngineStatus Status, string? Text)
{
    public T Result<T>() => DurableJson.Read<T>(Text!)!;
}
