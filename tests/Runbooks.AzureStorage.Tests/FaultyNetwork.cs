using Azure.Core;
using Azure.Core.Pipeline;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Storage;

namespace Runbooks.AzureStorage.Tests;

/// <summary>Counts the requests, and breaks some of them.</summary>
internal sealed class FaultyNetwork : HttpPipelinePolicy
{
    private int _requests;
    private int _writes;

    /// <summary>The host dies before its n-th write: neither that nor anything after it is sent.</summary>
    public int? DiesAtWrite { get; init; }

    /// <summary>Every second write arrives, but its answer is lost, so the SDK sends it again.</summary>
    public bool LosesAnswers { get; init; }

    /// <summary>What happens elsewhere before the n-th write is sent.</summary>
    public Func<int, Task> BeforeWrite { get; init; } = _ => Task.CompletedTask;

    public int Requests => _requests;

    public bool Died { get; private set; }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Interlocked.Increment(ref _requests);
        var write = message.Request.Method != RequestMethod.Get && message.Request.Method != RequestMethod.Head;
        var number = write ? Interlocked.Increment(ref _writes) : 0;
        if (Died || number == DiesAtWrite)
        {
            Died = true;
            throw new HostDiedException();
        }

        await (write ? BeforeWrite(number) : Task.CompletedTask);
        await ProcessNextAsync(message, pipeline);
        if (LosesAnswers && write && number % 2 == 1)
        {
            throw new IOException("The connection was reset.");
        }
    }
}

internal sealed class HostDiedException : Exception;

/// <summary>What a host does that may die of it.</summary>
internal static class DyingHost
{
    public static Task<OpenResult> Open(IIncidentStore store, Incident candidate) => store.OpenAsync(
        candidate, StoredIncidents.Runbook(), latest => latest.State.IsFinal() ? null : latest with { AlertCount = latest.AlertCount + 1 }, TestContext.Current.CancellationToken);

    public static async Task Ignore(Task work)
    {
        try
        {
            await work;
        }
        catch (HostDiedException)
        {
        }
    }
}
