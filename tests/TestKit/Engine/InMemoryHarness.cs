using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;

namespace TestKit.Engine;

/// <summary>The <see cref="InMemoryEngine"/> under the contract.</summary>
public sealed class InMemoryHarness(WorkflowTable workflows, ActivityTable activities, ILoggerFactory loggers, InMemoryOptions? options = null)
    : IEngineHarness
{
    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 3, 0, 0, TimeSpan.Zero));

    public InMemoryEngine Engine => field ??= new InMemoryEngine(workflows, activities, Time, loggers, options);

    public Task StartAsync<TIn>(string workflow, string id, TIn input)
    {
        Engine.Start(workflow, id, input);
        return Task.CompletedTask;
    }

    public Task RaiseAsync(string id, string name)
    {
        Engine.Raise(id, name);
        return Task.CompletedTask;
    }

    public Task AdvanceAsync(TimeSpan by) => VirtualTime.AdvanceAsync(Time, by, () => Engine.NextTimer, Engine.SettleAsync);

    public Task SettleAsync() => Engine.SettleAsync();

    public Task<EngineEnd> WaitForEndAsync(string id) => Engine.WaitForEndAsync(id).WaitAsync(TimeSpan.FromSeconds(30));

    public async Task<EngineStatus?> StatusAsync(string id) => (await Engine.FindAsync(id, CancellationToken.None))?.Status;

    public Task<string?> CustomStatusAsync(string id) => Task.FromResult(Engine.CustomStatus(id));

    public Task CrashAsync()
    {
        Engine.Crash();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
