using RunbookLocal.Engine;
using TestKit.Engine;

namespace RunbookLocal.Tests.Engine;

public sealed class JournalEngineContract : EngineContract
{
    protected override async Task<IEngineHarness> StartEngineAsync() => await JournalHarness.OpenAsync(Workflows, Activities, Logs);
}

/// <summary>Every wait leaves memory at once, so every answer goes through a replay.</summary>
public sealed class PassivatingJournalEngineContract : EngineContract
{
    protected override async Task<IEngineHarness> StartEngineAsync() =>
        await JournalHarness.OpenAsync(Workflows, Activities, Logs, new JournalOptions { MaxWaitingInMemory = 0 });
}

public sealed class InMemoryEngineContract : EngineContract
{
    protected override Task<IEngineHarness> StartEngineAsync() =>
        Task.FromResult<IEngineHarness>(new InMemoryHarness(Workflows, Activities, Logs));
}

public sealed class ReplayingInMemoryEngineContract : EngineContract
{
    protected override Task<IEngineHarness> StartEngineAsync() =>
        Task.FromResult<IEngineHarness>(new InMemoryHarness(Workflows, Activities, Logs, new InMemoryOptions { ReplayEveryStep = true }));
}
