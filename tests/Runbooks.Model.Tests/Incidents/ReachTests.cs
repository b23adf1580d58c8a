using Runbooks.Model.Incidents;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Whether enough people have a message for something to come of it.</summary>
public sealed class ReachTests
{
    /// <summary>Asked as an approver and once more as the last in line, one person has one voice.</summary>
    [Fact]
    public void PersonWhoIsAskedTwice_CountsOnce()
    {
        Delivery[] message = [Got("m:0:alice", "alice", "oncall"), Missed("m:0:bob", "bob", "oncall"), Got("m:0:fallback:alice", "alice", "fallback")];

        Reach.IsEnough(message, people: 1).ShouldBeTrue();
        Reach.IsEnough(message, people: 2).ShouldBeFalse();
        Reach.IsEnough([.. message, Got("m:0:fallback:carol", "carol", "fallback")], people: 2).ShouldBeTrue();
    }

    private static Delivery Got(string key, string person, string contact) => new(key, person, "test", DateTimeOffset.UnixEpoch, "1") { Behind = [contact] };

    private static Delivery Missed(string key, string person, string contact) => new(key, person, null, DateTimeOffset.UnixEpoch, "down") { Behind = [contact] };
}
