using CsCheck;
using TestKit;

namespace Runbooks.Tests.Orchestration.Model;

/// <summary>
/// Gates and steps under anything that may happen to them: decisions, stops, resolved alerts, a changing world, the kill
/// switch, crashes at any event, activities that run twice or break off between two writes, silence.
/// </summary>
public sealed class IncidentModelTests
{
    [Fact]
    public Task WhateverHappens_NothingRunsUnaskedOrTwiceAndEveryIncidentEnds() => Case.Any.SampleAsync(
        async @case =>
        {
            await using var world = new ModelWorld(@case);
            var end = await world.PlayAsync();
            world.Violations.ShouldBeEmpty(@case.ToString());
            return end;
        },
        writeLine: TestContext.Current.TestOutputHelper!.WriteLine,
        iter: Rounds.Of(250));
}
