using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

/// <summary>Somebody pulls the kill switch while a step waits for its turn, or for what Azure is still working on.</summary>
public sealed class PausedTests : OnTheSandbox
{
    private static readonly string[] s_writes = ["PUT ", "PATCH ", "DELETE "];

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzureOpenAI().AddTrafficManager().AddLiteLlm().AddDisk().AddAppConfiguration().AddKubernetes();

    public static TheoryData<string, object> AfterAWait => new()
    {
        { "azureOpenAI.spillOver", new { account = Resource("Microsoft.CognitiveServices/accounts", "assist"), deployment = "gpt-4o-ptu", to = "gpt-4o-paygo" } },
        { "trafficManager.reroute", new { profile = Resource("Microsoft.Network/trafficManagerProfiles", "assist"), from = "cluster-b" } },
        { "litellm.modelRoute", new { model = "gpt-4o", deployment = "ptu", weight = 0 } },
        { "appConfiguration.setFlag", new { flag = "local-model-only", create = true } },
        { "kubernetes.cordonNode", new { node = "aks-gpu-24815391-vmss000002" } },
        { "disk.deleteTempFiles", new { machine = Resource("Microsoft.Compute/virtualMachines", "vm-batch-1"), folder = "/var/tmp", olderThan = "3d" } },
    };

    [Theory, MemberData(nameof(AfterAWait))]
    public async Task ChangeThatComesAfterAWait_IsNotMadeAndTheStepWaits(string action, object with)
    {
        var preparation = await PrepareAsync(action, with);
        var (found, context) = (Action(action), ContextOf("inc-1") with { Time = new SkippingTime(Clock), FindPause = _ => Task.FromResult<string?>("The kill switch is on.") });

        var failure = await Should.ThrowAsync<AttemptFailedException>(() => found.ApplyAsync(Bind(with, found.ParametersType), preparation, context, Cancel));

        (failure.Message, failure.IsBusy).ShouldBe(("The kill switch is on. Nothing was changed.", true));
        (await Should.ThrowAsync<AttemptFailedException>(() => found.ApplyAsync(Bind(with, found.ParametersType), preparation, context with { Interrupted = preparation }, Cancel)))
            .Message.ShouldBe("The kill switch is on. This attempt has changed nothing.");
        (await RequestsAsync()).ShouldNotContain(request => IsWrite(request));
        (await SentAsync()).ShouldNotContain(sent => sent.Body.GetRawText().Contains("-delete", StringComparison.Ordinal));
    }

    /// <summary>The switch was off when undoing began, and it waited for its turn.</summary>
    [Theory, MemberData(nameof(AfterAWait))]
    public async Task UndoThatComesAfterAWait_IsNotMadeAndWaits(string action, object with)
    {
        var preparation = await PrepareAsync(action, with);
        if (preparation.UndoState is not { } undo)
        {
            return;
        }

        await ApplyAsync(action, with, preparation);
        var sent = (await RequestsAsync()).Count(IsWrite);
        var (found, context) = (Action(action), ContextOf("inc-1") with { Time = new SkippingTime(Clock), Interrupted = preparation, FindPause = _ => Task.FromResult<string?>("The kill switch is on.") });

        (await Should.ThrowAsync<AttemptFailedException>(() => found.UndoAsync(undo, context, Cancel))).IsBusy.ShouldBeTrue();
        (await RequestsAsync()).Count(IsWrite).ShouldBe(sent);
    }

    private static bool IsWrite(string request) => s_writes.Any(verb => request.StartsWith(verb, StringComparison.Ordinal));
}
