using Microsoft.Extensions.Time.Testing;
using Runbooks.Guardrails;
using TestKit;
using TestKit.Incidents;
using TestKit.Storage;

namespace Runbooks.Tests.Guardrails;

public sealed class ActionConcurrencyLimiterTests
{
    [Fact]
    public async Task Place_IsItsStepsOwnUntilItIsFreedOrItsTimeIsOver()
    {
        var (options, time) = (new SafetyOptions { MaxConcurrent = { ["script.act"] = 1, ["script.other"] = 1 } }, new FakeTimeProvider(Given.Night));
        var limiter = new ActionConcurrencyLimiter(new InMemorySharedState(), new FixedOptions<SafetyOptions>(options), time);

        await Should.NotThrowAsync(() => limiter.FreeAsync("script.act", "a"), "nothing has been taken yet");
        (await TakeAsync("a")).ShouldBeTrue();
        (await TakeAsync("a")).ShouldBeTrue("after a crash the same step takes it again");
        (await TakeAsync("b")).ShouldBeFalse();
        (await limiter.TakeAsync("script.other", "b", TimeSpan.FromMinutes(5), CancellationToken.None)).ShouldBeTrue("that action has a place of its own");

        time.Advance(TimeSpan.FromMinutes(5));
        (await TakeAsync("b")).ShouldBeTrue();

        await limiter.FreeAsync("script.act", "a");
        (await TakeAsync("a")).ShouldBeFalse("it had no place to free any more");
        await limiter.FreeAsync("script.act", "b");
        (await TakeAsync("a")).ShouldBeTrue();

        Task<bool> TakeAsync(string step) => limiter.TakeAsync("script.act", step, TimeSpan.FromMinutes(5), CancellationToken.None);
    }

    /// <summary>App Service on Linux makes an underscore of a period in the name of a setting.</summary>
    [Theory]
    [InlineData("script.act")]
    [InlineData("script_act")]
    [InlineData("Script_Act")]
    public async Task Limit_IsFoundByEitherWayToWriteTheAction(string written)
    {
        var limiter = new ActionConcurrencyLimiter(new InMemorySharedState(), new FixedOptions<SafetyOptions>(new() { MaxConcurrent = { [written] = 1 } }), new FakeTimeProvider(Given.Night));

        (await TakeAsync("a")).ShouldBeTrue();
        (await TakeAsync("b")).ShouldBeFalse();
        await limiter.FreeAsync("script.act", "a");
        (await TakeAsync("b")).ShouldBeTrue();

        Task<bool> TakeAsync(string step) => limiter.TakeAsync("script.act", step, TimeSpan.FromMinutes(5), CancellationToken.None);
    }
}
