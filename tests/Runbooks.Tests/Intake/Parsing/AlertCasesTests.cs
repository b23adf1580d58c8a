using Runbooks.Model.Alerts;

namespace Runbooks.Tests.Intake.Parsing;

public class AlertCasesTests
{
    public static TheoryData<string> Cases => [.. AlertCases.Names];

    [Theory]
    [MemberData(nameof(Cases))]
    public void CaseFolder_ReadsAsExpected(string name)
    {
        var parsed = Readers.BuiltIn.Read(AlertCases.SourceOf(name), AlertCases.Body(name));

        var shown = AlertCases.Show(parsed);
        if (Environment.GetEnvironmentVariable("UPDATE_CASES") is { Length: > 0 } source)
        {
            // After a change that is meant: the folder of the cases in the repository. Read the difference.
            File.WriteAllText(Path.Combine(source, name, "expected.json"), shown + "\n");
            return;
        }

        shown.ShouldBe(AlertCases.Expected(name));
    }

    /// <summary>By hand comes no post: a person starts the runbook.</summary>
    [Fact]
    public void EverySender_MayBeNamedInATrigger() =>
        AlertSource.All.ShouldBe([.. Readers.BuiltIn.Sources, AlertSource.Manual], ignoreOrder: true);

    [Fact]
    public void EveryRefusedCase_IsRefusedWithAReason()
    {
        foreach (var name in AlertCases.Names)
        {
            var parsed = Readers.BuiltIn.Read(AlertCases.SourceOf(name), AlertCases.Body(name));

            parsed.IsRefused.ShouldBe(name.Contains("/refused-", StringComparison.Ordinal), name);
            (parsed.Alerts.Count + parsed.Errors.Count).ShouldBeGreaterThan(0, name);
        }
    }
}
