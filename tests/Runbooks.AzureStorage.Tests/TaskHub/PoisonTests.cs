using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using DurableTask.Core;
using Microsoft.DurableTask;
using Runbooks.Engine;
using Runbooks.Orchestration.TaskHub;
using TestKit;
using TestKit.Orchestration;

namespace Runbooks.AzureStorage.Tests.TaskHub;

/// <summary>Work that ends the process that does it, again and again, must come to an end itself.</summary>
public sealed class PoisonTests(Azurite azurite)
{
    private readonly TaskHubTasks _tasks = new();

    /// <returns>Once it has begun.</returns>
    private Task CallThatNeverFinishes()
    {
        var begun = new TaskCompletionSource();
        _tasks.Activity<int, int>("deadly", async _ =>
        {
            // On a slow machine a lock lapses and the call is delivered twice: that too never finishes.
            begun.TrySetResult();
            await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
            return 0;
        });
        _tasks.Orchestrator<int, string>("w", async (context, n) =>
        {
            try
            {
                return $"{await context.CallActivityAsync<int>("deadly", n, FuncTasks.Retry(3, AzureHub.Unit))}";
            }
            catch (TaskFailedException e)
            {
                return e.FailureDetails.ErrorMessage;
            }
        });
        return begun.Task;
    }

    [Fact]
    public async Task ActivityThatAlwaysKillsItsProcess_FailsTheCallAndIsNotTriedAgain()
    {
        var begun = CallThatNeverFinishes();
        await using var hub = await AzureHub.OpenAsync(azurite, _tasks);
        await hub.StartAsync("w", "i", 0);
        await begun;

        await hub.CutAsync();
        await hub.OpenAsync(_ => hub.RedeliverAsync("workitems", deliveries: 10));

        (await hub.WaitForEndAsync("i")).Result<string>().ShouldBe("'deadly' was begun 10 times and never finished: the process that runs it ends. It is not tried again.");
    }

    /// <summary>Otherwise the call counts as running in this process for good, and this process never takes it again.</summary>
    [Fact]
    public async Task CallThatIsGivenUpWhileTheAccountIsAway_IsAnsweredLater()
    {
        var (begun, answers) = (CallThatNeverFinishes(), new RefusedAnswers());
        await using var hub = await AzureHub.OpenAsync(azurite, _tasks, watch: answers);
        await hub.StartAsync("w", "i", 0);
        await begun;
        await hub.CutAsync();
        await hub.OpenAsync(async _ =>
        {
            await hub.RedeliverAsync("workitems", deliveries: 10);

            // More than one call is repeated by itself.
            answers.Left = 6;
        });

        (await hub.WaitForEndAsync("i")).Result<string>()!.ShouldContain("was begun 10 times");
        answers.Left.ShouldBe(0);
    }

    [Fact]
    public async Task TurnThatAlwaysFails_EndsTheInstanceAndNoOther()
    {
        _tasks.AddOrchestrator("broken", _ => throw new InvalidOperationException("It cannot even be made."));
        _tasks.Orchestrator<int, int>("sound", (_, n) => Task.FromResult(n));
        await using var hub = await AzureHub.OpenAsync(azurite, _tasks);
        await hub.CutAsync();

        await hub.OpenAsync(async client =>
        {
            await client.CreateOrchestrationInstanceAsync("broken", "", "i", 0);
            for (var attempt = 1; attempt <= 6; attempt++)
            {
                await hub.Attempts.CountAsync(new TaskOrchestrationWorkItem { InstanceId = "i", OrchestrationRuntimeState = new OrchestrationRuntimeState() }, default);
            }

            await hub.RedeliverAsync(AzureHub.QueueOf("i"), deliveries: 4);
        });
        await hub.StartAsync("sound", "other", 7);

        var end = await hub.WaitForEndAsync("i");
        end.Status.ShouldBe(EngineStatus.Failed);
        end.Text!.ShouldContain("was begun 10 times and never finished");
        (await hub.WaitForEndAsync("other")).Result<int>().ShouldBe(7);
    }

    [Fact]
    public async Task TurnThatSucceedsAfterManyAttempts_IsCountedFromTheBeginningNextTime()
    {
        _tasks.Orchestrator<int, int>("sound", async (context, n) =>
        {
            await context.CreateTimer(AzureHub.Unit, CancellationToken.None);
            return n;
        });
        await using var hub = await AzureHub.OpenAsync(azurite, _tasks);
        await hub.CutAsync();

        await hub.OpenAsync(async client =>
        {
            await client.CreateOrchestrationInstanceAsync("sound", "", "i", 7);
            await hub.RedeliverAsync(AzureHub.QueueOf("i"), deliveries: 8);
        });

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(7);
    }

    [Theory]
    [InlineData("not a message at all")]
    [InlineData("""{"$type":"System.IO.FileInfo","fileName":"x"}""")]
    [InlineData("""{"$type":"DurableTask.AzureStorage.MessageData","TaskMessage":{"$type":"System.IO.FileInfo","fileName":"x"}}""")]
    public async Task MessageThatIsNoneOfOurs_IsNotReadAndHoldsUpNothing(string foreign)
    {
        _tasks.Activity<int, int>("twice", n => Task.FromResult(2 * n));
        _tasks.Orchestrator<int, int>("sound", (context, n) => context.CallActivityAsync<int>("twice", n));
        await using var hub = await AzureHub.OpenAsync(azurite, _tasks);

        await hub.SendAsync(AzureHub.QueueOf("i"), foreign);
        await hub.SendAsync("workitems", foreign);
        await hub.StartAsync("sound", "i", 7);

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(14);
    }

    /// <summary>Refuses messages to the queues of instances.</summary>
    private sealed class RefusedAnswers : HttpPipelinePolicy
    {
        private int _left;

        public int Left { get => _left; set => _left = value; }

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => ProcessNext(message, pipeline);

        public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            var isAnswer = message.Request.Method == RequestMethod.Post && message.Request.Uri.Path.Contains("-control-", StringComparison.Ordinal);
            if (isAnswer && _left > 0)
            {
                Interlocked.Decrement(ref _left);
                throw new RequestFailedException("Connection refused.");
            }

            return ProcessNextAsync(message, pipeline);
        }
    }
}
