using CsCheck;
using Runbooks.Intake.Parsing;

namespace Runbooks.Tests.Intake.Parsing;

public class AlertFingerprintTests
{
    [Fact]
    public void SameLabelsInAnotherOrder_HaveTheSameFingerprint() =>
        Gen.Dictionary(Gen.String[Gen.Char.AlphaNumeric, 1, 5], Gen.String[0, 5])[0, 8].Sample(labels =>
            AlertFingerprint.OfLabels("A", labels).ShouldBe(AlertFingerprint.OfLabels("A", labels.Reverse().ToDictionary())));

    [Fact]
    public void BlanksAndHowALetterIsComposed_TellNoTwoApart() =>
        AlertFingerprint.OfLabels("A", new Dictionary<string, string> { ["host"] = "Mu\u0308nchen " })
            .ShouldBe(AlertFingerprint.OfLabels("A", new Dictionary<string, string> { ["host"] = "M\u00FCnchen" }));

    [Fact]
    public void PartsCutElsewhere_HaveAnotherFingerprint() =>
        AlertFingerprint.Of(["ab", "c"]).ShouldNotBe(AlertFingerprint.Of(["a", "bc"]));

    [Fact]
    public void FiringAndResolvedWithoutFingerprint_ShareTheComputedOne()
    {
        var parsed = Readers.Read("alertmanager", """
            {"alerts":[
              {"status":"firing","labels":{"alertname":"A","pod":"x"},"annotations":{"value":"1"},"startsAt":"2026-03-02T03:04:05Z"},
              {"status":"resolved","labels":{"pod":"x","alertname":"A"},"annotations":{"value":"0"},"endsAt":"2026-03-02T04:04:05Z"},
              {"status":"firing","labels":{"alertname":"A","pod":"y"}}]}
            """);

        parsed.Alerts[1].Fingerprint.ShouldBe(parsed.Alerts[0].Fingerprint);
        parsed.Alerts[2].Fingerprint.ShouldNotBe(parsed.Alerts[0].Fingerprint);
    }
}
