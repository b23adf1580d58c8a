using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure;

/// <content>What spreads traffic: whatever two incidents do to it, and in whatever order, somebody is left.</content>
public sealed partial class HeldValuesTests
{
    /// <summary>An action, and two of those that share the traffic.</summary>
    public static TheoryData<string, string, string> Spread => new()
    {
        { "litellm.modelRoute", "ptu", "paygo" },
        { Pool, "openai-ptu", "openai-paygo" },
        { "envoyAiGateway.route", "openai-ptu", "openai-paygo" },
    };

    private static object Share(string action, string member, int weight) => action switch
    {
        Pool => new { service = s_service, pool = "openai", backend = member, weight, priority = 1 },
        "envoyAiGateway.route" => new { @namespace = "chat", route = "assist", rule = "gpt-4o", backend = member, weight, priority = 0 },
        _ => new { model = "gpt-4o", deployment = member, weight },
    };

    [Theory, MemberData(nameof(Spread))]
    public async Task TwoThatTakeEachOthersLastWeightAway_LeaveOne(string action, string one, string other)
    {
        var prepared = await PrepareAsync(action, Share(action, other, 0));
        prepared.Refusal.ShouldBeNull();
        await DoAsync("inc-a", action, Share(action, one, 0));

        // Also where an attempt of it was cut off before: it keeps what it had prepared.
        (await Should.ThrowAsync<ChangedSinceException>(() => DoAsync("inc-b", action, Share(action, other, 0), prepared: prepared))).Message.ShouldStartWith("Nobody would be left");
        (await PrepareAsync(action, Share(action, other, 0))).IsSo.ShouldBeFalse();
    }

    /// <summary>Each tries again what did not go through, as a step does, with what it had prepared.</summary>
    [Theory, MemberData(nameof(Spread))]
    public async Task TwoAtTheSameMoment_LeaveOne(string action, string one, string other)
    {
        var found = Action(action);
        async Task<bool> TakeAwayAsync(string incident, string member, Preparation prepared)
        {
            for (var context = ContextOf(incident); ; context = context with { Interrupted = prepared })
            {
                try
                {
                    await found.ApplyAsync(Bind(Share(action, member, 0), found.ParametersType), prepared, context, Cancel);
                    return true;
                }
                catch (ChangedSinceException)
                {
                    return false;
                }
                catch (AttemptFailedException)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), Clock, Cancel);
                }
            }
        }

        var (first, second) = (await PrepareAsync(action, Share(action, one, 0)), await PrepareAsync(action, Share(action, other, 0)));

        (await AtOnceAsync([() => TakeAwayAsync("inc-a", one, first), () => TakeAwayAsync("inc-b", other, second)])).Count(done => done).ShouldBe(1);

        ((await PrepareAsync(action, Share(action, one, 0))).IsSo && (await PrepareAsync(action, Share(action, other, 0))).IsSo).ShouldBeFalse();
    }

    /// <summary>The first one gave a share to one that had none, and the second then took that of the other away.</summary>
    [Theory, MemberData(nameof(Spread))]
    public async Task ShareThatIsTheLastOneByNow_IsNotTakenBack(string action, string one, string other)
    {
        await RunAsync(action, Share(action, other, 0));
        var first = await DoAsync("inc-a", action, Share(action, other, 5));
        var second = await DoAsync("inc-b", action, Share(action, one, 0));

        (await Should.ThrowAsync<ChangedSinceException>(() => UndoAsync("inc-a", action, first))).Message.ShouldStartWith("Nobody would be left");
        (await PrepareAsync(action, Share(action, other, 5))).IsSo.ShouldBeTrue();

        await UndoAsync("inc-b", action, second);
        (await PrepareAsync(action, Share(action, one, 0))).IsSo.ShouldBeFalse();
    }

    /// <summary>Another instance of the proxy may answer by what it read half a minute ago, so the next one waits that long.</summary>
    [Fact]
    public async Task SecondChangeOfAModel_WaitsUntilAllInstancesOfTheProxyKnowTheFirst()
    {
        await DoAsync("inc-a", "litellm.modelRoute", new { model = "gpt-4o", deployment = "ptu", weight = 5 });
        var before = Clock.GetUtcNow();

        await DoAsync("inc-b", "litellm.modelRoute", new { model = "gpt-4o", deployment = "paygo", weight = 5 });

        (Clock.GetUtcNow() - before).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(30));
    }

    /// <summary>Many incidents on one model would wait one after the other for nothing, and the last one in vain.</summary>
    [Fact]
    public async Task StepThatWritesNothing_LeavesTheModelToTheNextAtOnce()
    {
        var before = Clock.GetUtcNow();
        await DoAsync("inc-a", "litellm.modelRoute", new { model = "gpt-4o", deployment = "ptu", weight = 9 });
        await DoAsync("inc-b", "litellm.modelRoute", new { model = "gpt-4o", deployment = "paygo", weight = 5 });

        (Clock.GetUtcNow() - before).ShouldBeLessThan(TimeSpan.FromSeconds(30));
    }
}
