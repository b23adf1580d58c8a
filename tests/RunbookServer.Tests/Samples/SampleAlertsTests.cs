using RunbookServer.Samples;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;

namespace RunbookServer.Tests.Samples;

/// <summary>The alerts that come with the program: <c>{runbook}.{source}[.resolved].json</c>.</summary>
public class SampleAlertsTests
{
    private const string Prefix = "samples/";
    private static readonly Assembly s_program = Assembly.Load("runbook");

    public static TheoryData<string> Samples =>
        [.. s_program.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..])];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Sample_IsReadWithoutErrors(string file)
    {
        var parsed = Read(file);

        parsed.Errors.ShouldBeEmpty();
        parsed.Alerts.ShouldNotBeEmpty();
        parsed.Alerts.ShouldAllBe(alert => (alert.Status == AlertStatus.Resolved) == file.Contains(".resolved.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("hanged-gpu.azure-monitor", "HighLatency_Cluster_B", "Sev1")]
    [InlineData("hanged-gpu.alertmanager", "InferenceRequestsStuck", "critical")]
    public void HangedGpu_IsAboutTheHungPodOfTheRange(string sample, string name, string severity)
    {
        var fired = Read($"{sample}.json").Alerts.ShouldHaveSingleItem();
        var resolved = Read($"{sample}.resolved.json").Alerts.ShouldHaveSingleItem();

        fired.Name.ShouldBe(name);
        fired.Severity.ShouldBe(severity);
        fired.Runbook.ShouldBeNull("the trigger finds it");
        resolved.Fingerprint.ShouldBe(fired.Fingerprint);
        foreach (var alert in (Alert[])[fired, resolved])
        {
            alert.Labels.ShouldContainKeyAndValue("namespace", "inference");
            alert.Labels.ShouldContainKeyAndValue("pod", "llm-b-0");
            alert.Labels.ShouldContainKeyAndValue("cluster", "b");
        }
    }

    /// <summary>The host reads Windows-1252 and says so; a letter that the command line had lost would be lost for good.</summary>
    [Theory]
    [InlineData("iso-8859-1", "iso-8859-1")]
    [InlineData("utf-8", "utf-8")]
    [InlineData("utf-16", "utf-8")]
    public void FileInAnotherEncoding_IsSentAsItIsUnlessNoSenderPostsIt(string written, string sent)
    {
        const string Alert = """{"name":"Überlast München"}""";
        var file = Path.Combine(AppContext.BaseDirectory, $"{Guid.NewGuid():N}.generic.json");
        File.WriteAllText(file, Alert, Encoding.GetEncoding(written));
        try
        {
            Encoding.GetEncoding(sent).GetString(SampleAlerts.Read(file, null).Body).TrimStart('\uFEFF').ShouldBe(Alert);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Where its usual port is taken it is elsewhere, and an alert about its certificate is about that.</summary>
    [Fact]
    public void SandboxElsewhere_IsWhatASampleIsAbout()
    {
        string Text(Uri? sandbox) => Encoding.UTF8.GetString(SampleAlerts.Read("certificate-expired", null, sandbox).Body);

        Text(null).ShouldContain("https://127.0.0.1:7072");
        Text(new("http://127.0.0.1:34981/")).ShouldSatisfyAllConditions(text => text.ShouldContain("https://127.0.0.1:34981"), text => text.ShouldNotContain("7072"));
    }

    private static ParsedAlerts Read(string file)
    {
        using var services = new ServiceCollection().AddAlerts().BuildServiceProvider();
        using var stream = s_program.GetManifestResourceStream(Prefix + file).ShouldNotBeNull();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return services.GetRequiredService<AlertReader>().Read(file.Split('.')[1], bytes.ToArray());
    }
}
