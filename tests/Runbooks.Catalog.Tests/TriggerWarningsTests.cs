using Runbooks.Catalog.Reading;
using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Tests;

/// <summary>Triggers as other tools write them, and names that only look so.</summary>
public sealed class TriggerWarningsTests
{
    [Theory]
    [InlineData("HighLatency.*")]
    [InlineData("^(HighLatency|Slow)$")]
    [InlineData("A|B")]
    [InlineData("~vllm")]
    [InlineData("=~vllm")]
    [InlineData("!prod")]
    [InlineData("A, B")]
    [InlineData("“HighLatency”")]
    public void NameThatNoSenderSends_IsDoubted(string alert) => Doubts(alert).ShouldBe(["alert"]);

    [Theory]
    [InlineData("HighLatency_*")]
    [InlineData("Latency | prod")]
    [InlineData("CPU is high, memory too")]
    [InlineData("Microsoft.KeyVault.*")]
    [InlineData("db.latency.*")]
    [InlineData("Kunde's “Bot” ist langsam")]
    [InlineData("Cost (> 100 $)")]
    public void NameThatMayBeSent_IsNot(string alert) => Doubts(alert).ShouldBeEmpty();

    [Theory]
    [InlineData("azure-monitor", "critical", true)]
    [InlineData("azure-monitor", "1", true)]
    [InlineData("azure-monitor", "sev1", false)]
    [InlineData("alertmanager", "critical", false)]
    [InlineData("alertmanager", "critical, warning", true)]
    [InlineData("alertmanager", "critical|warning", true)]
    public void SeverityThatTheSourceNeverSends_IsDoubted(string source, string severity, bool doubted) => Doubts("A", source, severity).Any().ShouldBe(doubted);

    [Theory]
    [InlineData("prod|stage", true)]
    [InlineData("~prod.*", true)]
    [InlineData(@"pod-\d+", true)]
    [InlineData("10.1.*", false)]
    [InlineData(@"D:\data", false)]
    [InlineData("C$", false)]
    [InlineData("a,b", false)]
    public void LabelThatIsAnExpression_IsDoubted(string value, bool doubted) => TriggerWarnings.Of(new(null, "A", [], new Dictionary<string, string> { ["cluster"] = value })).Any().ShouldBe(doubted);

    private static IEnumerable<string> Doubts(string alert, string? source = null, params string[] severity) =>
        TriggerWarnings.Of(new Trigger(source, alert, severity, new Dictionary<string, string>())).Select(doubt => doubt.Key.Split('[')[0]);
}
