using Runbooks.Catalog.Reading;

namespace Runbooks.Catalog.Tests;

/// <summary>One runbook for several hosts, each of which says which cluster it looks after.</summary>
public sealed class HostSettingsTests
{
    private const string Text = """
        id: sample
        title: Sample
        trigger: [{ alert: Something, labels: { cluster: "{{ settings.cluster }}" } }]
        target: "{{ settings.Cluster }}/{{ labels.pod }}"
        impact: { severity: low, users: Nobody notices. }
        mitigation:
          approval: { ask: "Do it in {{settings.cluster}}?", from: [oncall], timeout: "{{ settings.patience }}" }
          steps:
            tell: { do: note, with: { text: "{{ settings.cluster }}: {{ labels.pod }}" } }
        """;

    [Fact]
    public void Values_AreFilledInWhereverTheyStand()
    {
        var runbook = Read(("cluster", "b"), ("patience", "7m")).Runbook!;

        runbook.Trigger[0].Labels["cluster"].ShouldBe("b");
        runbook.Target.ShouldBe("b/{{ labels.pod }}");
        runbook.Mitigation.Approval!.Ask.ShouldBe("Do it in b?");
        runbook.Mitigation.Approval.Timeout.ShouldBe(TimeSpan.FromMinutes(7));
        runbook.Mitigation.Steps[0].With.GetProperty("text").GetString().ShouldBe("b: {{ labels.pod }}");
    }

    [Fact]
    public void SettingThatIsTheWholeValue_IsWhatItWouldBeWithoutQuotes()
    {
        var text = Text.Replace("from: [oncall]", "from: [oncall], separationOfDuties: \"{{ settings.two }}\", required: \"{{ settings.people }}\"", StringComparison.Ordinal);

        var approval = Read(text, ("cluster", "b"), ("patience", "7m"), ("two", "true"), ("people", "2")).Runbook!.Mitigation.Approval!;

        (approval.SeparationOfDuties, approval.Required).ShouldBe((true, 2));
    }

    [Fact]
    public void OtherValue_IsAnotherVersionAndAnotherSettingIsNot()
    {
        var hash = Read(("cluster", "b"), ("patience", "7m")).Runbook!.Hash;

        Read(("cluster", "c"), ("patience", "7m")).Runbook!.Hash.ShouldNotBe(hash);
        Read(("cluster", "b"), ("patience", "7m"), ("unread", "x")).Runbook!.Hash.ShouldBe(hash);
    }

    [Fact]
    public void SettingThatTheHostDoesNotHave_IsAnErrorAtItsPlace()
    {
        var errors = Read(("clutser", "b"), ("patience", "{{ labels.time }}")).Errors.Select(error => error.ToString()).ToList();

        errors.ShouldContain("sample.yaml:3:50  It reads settings.cluster, which this host does not set.  Did you mean 'clutser'? Set Runbooks:Settings:cluster on the host, or try it with --setting cluster=VALUE.");
        errors.ShouldContain("sample.yaml:7:79  The host's setting patience holds a placeholder.  Write out what it stands for.");
    }

    private static ReadResult Read(params (string Name, string Value)[] settings) => Read(Text, settings);

    private static ReadResult Read(string text, params (string Name, string Value)[] settings) =>
        new RunbookReader(SampleSteps.Catalog(), new HostSettings(settings.Select(one => KeyValuePair.Create(one.Name, one.Value)))).Read("sample.yaml", text);
}
