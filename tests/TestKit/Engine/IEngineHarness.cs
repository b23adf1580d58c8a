using Runbooks.Engine;

namespace TestKit.Engine;

/// <summary>All that <see cref="EngineContract"/> needs of an engine under test.</summary>
public interface IEngineHarness : IAsyncDisposable
{
    Task StartAsync<TIn>(string workflow, string id, TIn input);

    Task RaiseAsync(string id, string name);

    /// <summary>Lets everything run that can, then time pass, firing what becomes due in its order.</summary>
    Task AdvanceAsync(TimeSpan by);

    /// <summary>Waits until nothing runs: every instance is over, or waits for time or for somebody.</summary>
    Task SettleAsync();

    Task<EngineEnd> WaitForEndAsync(string id);

    Task<EngineStatus?> StatusAsync(string id);

    /// <summary>JSON; null when the workflow showed nothing.</summary>
    Task<string?> CustomStatusAsync(string id);

    /// <summary>Kills the engine without warning and starts it again over what it had recorded.</summary>
    Task CrashAsync();
}

/// <param name="Text">The result as JSON, or why it failed.</param>
public sealed record EngineEnd(EngineStatus Status, string? Text)
{
    public T Result<T>() => DurableJson.Read<T>(Text!)!;
}
