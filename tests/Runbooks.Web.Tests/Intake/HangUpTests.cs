using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using TestKit;

namespace Runbooks.Web.Tests.Intake;

/// <summary>Who sends an alert and does not wait for the answer.</summary>
public sealed class HangUpTests : IAsyncLifetime
{
    private const string Alert = """{"name":"HighLatency_Cluster_B","labels":{"pod":"llm-b-0"}}""";

    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _read = new(TaskCreationOptions.RunContinuationsAsynchronously), _gone = new(), _handled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WebHost _host;

    public HangUpTests() => _host = new()
    {
        Settings = { ["Mcp:Enabled"] = "true" },
        // The runbooks are looked up once the post was read: then the sender goes.
        Configure = services => services.AddSingleton<LoadedRunbooks>(() =>
        {
            _read.TrySetResult();
            _gone.Task.Wait();
            return [Some.Runbook()];
        }),
        Map = app => app.Use(async (context, next) =>
        {
            _begun.TrySetResult();
            context.RequestAborted.Register(() => _gone.TrySetResult());
            await next(context);
            _handled.TrySetResult();
        }),
    };

    [Fact]
    public async Task SenderThatHangsUpAfterItsPost_ItsAlertIsTaken()
    {
        using (var sender = await PostAsync(Alert.Length))
        {
            await _read.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
            sender.Shutdown(SocketShutdown.Both);
        }

        await _handled.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);

        _host.Store.All.ShouldHaveSingleItem();
        _host.Logged.ShouldNotContain(line => line.Contains("broke", StringComparison.Ordinal));
    }

    /// <summary>A sender that breaks off may not come again, so somebody hears of half a post whoever stopped.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SenderThatHangsUpWithinItsPost_NothingIsTakenAndItIsPaged(bool reset)
    {
        using (var sender = await PostAsync(Alert.Length + 1))
        {
            await _begun.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
            if (reset)
            {
                sender.LingerState = new(enable: true, seconds: 0);
            }
            else
            {
                sender.Shutdown(SocketShutdown.Both);
            }
        }

        await _handled.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);

        _host.Store.All.ShouldBeEmpty();
        _host.Channel.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain("The post stopped in the middle.");
        _host.Logged.ShouldNotContain(line => line.Contains("broke", StringComparison.Ordinal));
    }

    /// <summary>The store answers nobody, until whoever asked is gone.</summary>
    [Fact]
    public async Task AssistantThatHangsUp_IsAskedForNoLonger()
    {
        var (asked, cancelled, over) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        _host.Store.BeforeListing = async cancellationToken =>
        {
            asked.TrySetResult();
            try
            {
                await over.Task.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                cancelled.TrySetResult();
                throw;
            }
        };
        const string Ask = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_incidents","arguments":{}}}""";
        try
        {
            using (var assistant = await SendAsync("/mcp", Ask, Ask.Length))
            {
                await asked.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
                assistant.Shutdown(SocketShutdown.Both);
            }

            await cancelled.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        }
        finally
        {
            over.TrySetResult();
        }

        await _handled.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        _host.Logged.ShouldNotContain(line => line.Contains("broke", StringComparison.Ordinal));
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private Task<Socket> PostAsync(int length) => SendAsync("/api/alerts/generic", Alert, length);

    private async Task<Socket> SendAsync(string path, string body, int length)
    {
        var address = _host.Api.BaseAddress!;
        var sender = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await sender.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        await sender.SendAsync(
            Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\nX-Api-Key: {WebHost.Key}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"),
            TestContext.Current.CancellationToken);
        return sender;
    }
}
