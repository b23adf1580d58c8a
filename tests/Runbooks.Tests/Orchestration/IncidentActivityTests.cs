using Microsoft.Extensions.Logging;
using Runbooks.Orchestration;
using TestKit.Engine;

namespace Runbooks.Tests.Orchestration;

public sealed class IncidentActivityTests : IDisposable
{
    private const string Secret = "abcdefghijklmnop";
    private readonly ActivityShutdown _shutdown = new();
    private readonly ListLogger _logs = new();

    [Fact]
    public async Task FailureWithASecretInIt_LeavesWithoutTheSecret()
    {
        var inner = new IOException($"Authorization: Bearer {Secret}");
        var failure = await Should.ThrowAsync<ActivityFailedException>(
            () => new Throwing(_shutdown, _logs, new InvalidOperationException($"refused: Authorization: Bearer {Secret}", inner)).RunAsync(1, CancellationToken.None));

        failure.ToString().ShouldNotContain(Secret);
        failure.Message.ShouldContain("refused");
        failure.InnerException.ShouldBeNull();
        _logs.Lines.ShouldNotBeEmpty();
        _logs.Lines.ShouldAllBe(line => !line.Contains(Secret));
    }

    [Fact]
    public Task HostThatStops_IsNoFailure() => Should.ThrowAsync<OperationCanceledException>(
        () => new Throwing(_shutdown, _logs, new OperationCanceledException()).RunAsync(1, new CancellationToken(canceled: true)));

    [Fact]
    public Task CallThatGaveUpByItself_IsAFailure() => Should.ThrowAsync<ActivityFailedException>(
        () => new Throwing(_shutdown, _logs, new OperationCanceledException()).RunAsync(1, CancellationToken.None));

    public void Dispose()
    {
        _shutdown.Dispose();
        _logs.Dispose();
    }

    private sealed class Throwing(ActivityShutdown shutdown, ILogger logger, Exception failure) : IncidentActivity<int, int>(shutdown, logger, (_, _) => throw failure);
}
