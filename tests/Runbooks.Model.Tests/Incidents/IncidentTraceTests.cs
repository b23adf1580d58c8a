using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

public class IncidentTraceTests
{
    private const string Sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    [Theory]
    [InlineData(Sent, Sent)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01", null)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", null)]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", null)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, 00-4bf9", null)]
    [InlineData("00-<script>alert(1)</script>aaaaaaa-00f067aa0ba902b7-01", null)]
    public void TraceParent_IsKeptOnlyWhereItIsOne(string? sent, string? kept) => IncidentTrace.Read(sent).ShouldBe(kept);

    [Fact]
    public void WithoutASender_TraceAndSpansFollowFromTheIncidentAlone()
    {
        var (one, same, other) = (Some.Incident("261123-0312-aaaaaaaa"), Some.Waiting("261123-0312-aaaaaaaa"), Some.Incident("261123-0312-bbbbbbbb"));

        IncidentTrace.IdOf(one).ShouldBe(IncidentTrace.IdOf(same));
        IncidentTrace.SpanOf(one, "close").ShouldBe(IncidentTrace.SpanOf(same, "close"));
        IncidentTrace.IdOf(one).ShouldNotBe(IncidentTrace.IdOf(other));
        IncidentTrace.SpanOf(one, "close").ShouldNotBe(IncidentTrace.SpanOf(one, "intake"));
    }

    [Fact]
    public void WithASender_ItIsTheSendersTrace()
    {
        var incident = Some.Incident() with { TraceParent = Sent };

        IncidentTrace.IdOf(incident).ToHexString().ShouldBe("4bf92f3577b34da6a3ce929d0e0e4736");
        IncidentTrace.AboveRoot(incident).SpanId.ToHexString().ShouldBe("00f067aa0ba902b7");
        IncidentTrace.BelowRoot(incident).SpanId.ShouldBe(IncidentTrace.RootOf(incident));
    }
}
