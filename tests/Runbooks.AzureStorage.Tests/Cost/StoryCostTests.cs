using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.AzureStorage.Tests.TaskHub;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Orchestration;
using Runbooks.Orchestration.TaskHub;
using TestKit;
using TestKit.Incidents;
using TestKit.Orchestration;
using Given = TestKit.Incidents.Given;

namespace Runbooks.AzureStorage.Tests.Cost;

/// <summary>What one whole incident asks of the account, beside a bare orchestration of the same shape on the same provider.</summary>
public sealed class StoryCostTests(Azurite azurite, ITestOutputHelper output)
{
    private static readonly string[] s_checks = ["first", "second", "third", "fixed"];

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OneStory_CostsLittleMoreThanItsOrchestration()
    {
        var (bare, story) = (await BareAsync(), await StoryAsync());
        output.WriteLine($"{(double)story.Count / bare.Count:0.00} times");

        ((double)story.Count / bare.Count).ShouldBeLessThanOrEqualTo(1.2);
        story.Count(request => !request.IsOfHub).ShouldBeLessThanOrEqualTo(35);
    }

    /// <summary>4 checks at once, one question, one answer, 2 steps, one verification, one step of the resolution, the end: an activity each, none of which asks the account for anything.</summary>
    private async Task<IReadOnlyList<CountedRequest>> BareAsync()
    {
        var counted = new CountedRequests();
        var tasks = new TaskHubTasks().Activity<int, int>("do", n => Task.FromResult(n)).Orchestrator<int, int>("bare", async (context, _) =>
        {
            await Task.WhenAll(s_checks.Select((_, n) => context.CallActivityAsync<int>("do", n)));
            await context.CallActivityAsync<int>("do", 4);
            context.SetCustomStatus("asks");
            await context.CameAsync("answer", TimeSpan.FromMinutes(5));
            for (var n = 5; n < 10; n++)
            {
                await context.CallActivityAsync<int>("do", n);
            }

            return 0;
        });
        await using var hub = await AzureHub.OpenAsync(azurite, tasks, watch: counted);
        await RunAsync("warm");
        counted.Clear();
        await RunAsync("bare");
        output.WriteLine(counted.Describe());
        return counted.Requests;

        async Task RunAsync(string id)
        {
            await hub.StartAsync("bare", id, 0);
            await SettleAsync(hub);
            await hub.RaiseAsync(id, "answer");
            await CountedRequests.CausedByAsync(CountedRequests.Nobody, () => hub.WaitForEndAsync(id));
            await SettleAsync(hub);
        }
    }

    private async Task<IReadOnlyList<CountedRequest>> StoryAsync()
    {
        var counted = new CountedRequests();
        var account = new AzureAccount(azurite);
        AzureHub? hub = null;
        await using var world = new IncidentWorld(configure: services => services
            .AddSingleton(TimeProvider.System)
            .AddSingleton(account.Incidents(counted))
            .AddSingleton(account.State(counted))
            .AddSingleton<IIncidentEngine>(_ => hub!.Engine)
            .AddIncidentIntake());
        world.Script.Verdicts["fixed"] = Verdict.Passing;
        await using (hub = await AzureHub.OpenAsync(azurite, new TaskHubTasks().AddIncidents(), services: world.Services, watch: counted))
        {
            (hub.HubOptions.Version, hub.HubOptions.AroundActivity) = (IncidentOrchestrator.Version, CountedRequests.CausedByAsync);
            world.Loaded = [Shape()];
            await ClosedIncidents.AddAsync(account, 1_000, "before", DateTimeOffset.UtcNow.AddMinutes(-1));
            await RunAsync("warm");
            counted.Clear();
            await RunAsync("whole");
            output.WriteLine(counted.Describe());
            return counted.Requests;
        }

        async Task RunAsync(string pod)
        {
            var alert = Given.Alert() with { Fingerprint = pod, Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = pod } };
            var taken = await CountedRequests.CausedByAsync("the alert", () => world.Get<IncidentIntake>().ReceiveAsync([alert], Now));
            var id = taken[0].Id!;
            await WaitForAsync(id, IncidentState.AwaitingApproval);
            var receipt = await CountedRequests.CausedByAsync("the decision", () => world.Get<ApprovalService>().DecideAsync(id, null, new(DecisionVerb.Approve, "alice", "api"), Now));
            receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
            await WaitForAsync(id, IncidentState.Resolved);
        }

        async Task WaitForAsync(string id, IncidentState state)
        {
            await Patience.UntilAsync(
                async () => (await account.Incidents().GetAsync(id, Now)).State == state, () => $"{id} does not come to {state}.", TimeSpan.FromMilliseconds(100));
            await SettleAsync(hub!);
        }
    }

    private static Task SettleAsync(AzureHub hub) => CountedRequests.CausedByAsync(CountedRequests.Nobody, async () =>
    {
        await hub.SettleAsync();
        return true;
    });

    private static Runbook Shape()
    {
        var some = Given.Runbook();
        return some with
        {
            Diagnosis = [.. s_checks.Select(Given.Check)],
            Mitigation = some.Mitigation with
            {
                When = new(Quantifier.Any, s_checks[..3]),
                Steps = [Given.Step("one"), Given.Step("two")],
                Verify = new(["fixed"], TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1)),
            },
        };
    }
}
