using Runbooks.Engine;
using Shouldly;
using Xunit;

namespace TestKit.Engine;

public abstract partial class EngineContract
{
    [Fact]
    public async Task ParallelActivities_RunAtTheSameTimeAndKeepTheirPlaces()
    {
        var together = new TaskCompletionSource();
        var arrived = 0;
        var meet = new Activity<int, int>("meet");
        Activities.Add(meet, async (n, _) =>
        {
            if (Interlocked.Increment(ref arrived) == 4)
            {
                together.SetResult();
            }

            await together.Task;
            return n * 10;
        });
        Workflows.Add<int, int[]>("w", (context, _) => Task.WhenAll(Enumerable.Range(0, 4).Select(n => context.CallActivityAsync(meet, n))));
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "i", 0);

        (await engine.WaitForEndAsync("i")).Result<int[]>().ShouldBe([0, 10, 20, 30]);
    }

    [Fact]
    public async Task OneOfSeveralParallelActivitiesFails_TheOthersAreStillAnswered()
    {
        var odd = new Activity<int, int>("odd fails");
        Activities.Add(odd, (n, _) => n % 2 == 0 ? Task.FromResult(n) : throw new InvalidOperationException($"{n} is odd"));
        Workflows.Add<int, string[]>("w", (context, _) => Task.WhenAll(Enumerable.Range(0, 4).Select(async n =>
        {
            try
            {
                return $"{await context.CallActivityAsync(odd, n)}";
            }
            catch (ActivityFailedException e)
            {
                return e.Failure;
            }
        })));
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "i", 0);

        (await engine.WaitForEndAsync("i")).Result<string[]>().ShouldBe(["0", "1 is odd", "2", "3 is odd"]);
    }

    [Fact]
    public async Task ActivityThatFailsTwice_IsTriedAgainAfterGrowingPauses()
    {
        var attempts = 0;
        var flaky = new Activity<int, int>("flaky");
        Activities.Add(flaky, (n, _) => Interlocked.Increment(ref attempts) < 3 ? throw new IOException("not yet") : Task.FromResult(n));
        Workflows.Add<int, double>("w", async (context, n) =>
        {
            var begin = context.UtcNow;
            await context.CallActivityAsync(flaky, n, new RetryPolicy(5, Unit, Backoff: 3));
            return (context.UtcNow - begin) / Unit;
        });
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "i", 7);
        await engine.AdvanceAsync(Unit * 10);

        (await engine.WaitForEndAsync("i")).Result<double>().ShouldBe(4, 0.5);
        attempts.ShouldBe(3);
    }

    [Fact]
    public async Task ActivityThatAlwaysFails_IsGivenUpAfterTheLastAttempt()
    {
        var attempts = 0;
        var broken = new Activity<int, int>("broken");
        Activities.Add(broken, (_, _) => throw new IOException($"attempt {Interlocked.Increment(ref attempts)}"));
        Workflows.Add<int, string>("w", async (context, n) =>
        {
            try
            {
                await context.CallActivityAsync(broken, n, new RetryPolicy(3, Unit));
                return "worked";
            }
            catch (ActivityFailedException e)
            {
                return $"{e.Activity}: {e.Failure}";
            }
        });
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "i", 7);
        await engine.AdvanceAsync(Unit * 10);

        (await engine.WaitForEndAsync("i")).Result<string>().ShouldBe("broken: attempt 3");
    }

    [Fact]
    public async Task LargeAndForeignText_ComesBackAsItWent()
    {
        var text = string.Concat(Enumerable.Repeat("</script>\u0000 \"ünï\" 日本語 😀 \u2028\n", 4_000));
        Workflows.Add<string, string>("w", (context, input) => context.CallActivityAsync(Echo, input));
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "größe-日本", text);

        (await engine.WaitForEndAsync("größe-日本")).Result<string>().ShouldBe(text);
    }
}
