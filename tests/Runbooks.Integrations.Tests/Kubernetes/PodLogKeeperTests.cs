using System.Text;
using Runbooks.Integrations.Kubernetes;

namespace Runbooks.Integrations.Tests.Kubernetes;

public sealed class PodLogKeeperTests
{
    [Theory]
    [InlineData("ready\n-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n", 0)]
    [InlineData("abc\n-----END PRIVATE KEY-----\nready\n", 30)]
    [InlineData("abc\n-----END PRIVATE KEY-----", 4)]
    public void KeyWhoseBeginningIsCutOff_IsNotKept(string log, int start) => PodLogKeeper.StartOf(Encoding.UTF8.GetBytes(log)).ShouldBe(start);

    [Fact]
    public void LongLog_IsCutBetweenTwoLines()
    {
        var log = Encoding.UTF8.GetBytes("password=first\n" + new string('a', 100) + "\n" + new string('b', PodLogKeeper.MaxBytes - 50) + "\n");

        PodLogKeeper.StartOf(log).ShouldBe(116);
    }
}
