using TestKit;
using YamlDotNet.RepresentationModel;

namespace Infra.Tests;

public class WorkflowTests
{
    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(RepositoryRoot.Of(".github", "workflows"), "*.yml").Select(file => Path.GetFileName(file))];

    [Theory, MemberData(nameof(Files))]
    public void Workflow_StoresNoSecretAndReadsByDefault(string file)
    {
        var text = Text(file);

        text.ShouldNotContain("secrets.", customMessage: "federated credentials need none");
        var permissions = (YamlMappingNode)Root(text)["permissions"];
        permissions.Children.ShouldHaveSingleItem();
        permissions["contents"].ToString().ShouldBe("read");
    }

    /// <summary>Only a job that signs in to Azure may ask for a token, and only inside an environment that guards it.</summary>
    [Theory, MemberData(nameof(Files))]
    public void Job_WithAToken_RunsInAnEnvironment(string file)
    {
        foreach (var (name, node) in ((YamlMappingNode)Root(Text(file))["jobs"]).Children)
        {
            var job = (YamlMappingNode)node;
            var asks = job.Children.ContainsKey("permissions") && ((YamlMappingNode)job["permissions"]).Children.ContainsKey("id-token");
            var signsIn = Steps(job).Any(step => step.StartsWith("azure/login@", StringComparison.Ordinal));

            asks.ShouldBe(signsIn, $"{name}");
            job.Children.ContainsKey("environment").ShouldBe(asks, $"{name}");
            job.Children.ContainsKey("timeout-minutes").ShouldBeTrue($"{name}");
        }
    }

    [Theory, MemberData(nameof(Files))]
    public void Steps_DoNotPasteOutsideTextIntoAShell(string file)
    {
        foreach (var job in ((YamlMappingNode)Root(Text(file))["jobs"]).Children.Values.Cast<YamlMappingNode>())
        {
            foreach (var step in ((YamlSequenceNode)job["steps"]).Cast<YamlMappingNode>().Where(step => step.Children.ContainsKey("run")))
            {
                step["run"].ToString().ShouldNotContain("${{", customMessage: "pass it through env");
            }
        }
    }

    /// <summary>The same one command as at home, and nothing is deployed that it has not passed.</summary>
    [Theory]
    [InlineData("ci.yml", "test")]
    [InlineData("deploy.yml", "build")]
    public void Build_RunsTheOneCommandBeforeAnythingElse(string file, string job)
    {
        var steps = ((YamlSequenceNode)Root(Text(file))["jobs"][job]["steps"]).Cast<YamlMappingNode>()
            .Where(step => step.Children.ContainsKey("run")).Select(step => step["run"].ToString()).ToList();
        var command = RepositoryRoot.Of(".ci", "run");

        steps[0].ShouldBe(".ci/run");
        (OperatingSystem.IsWindows() || File.GetUnixFileMode(command).HasFlag(UnixFileMode.UserExecute)).ShouldBeTrue(command);
    }

    /// <summary>With a private network its storage lets no machine of GitHub's own in.</summary>
    [Theory]
    [InlineData(".github/workflows/deploy.yml", "deploy")]
    [InlineData(".github/workflows/runbooks.yml", "publish")]
    [InlineData("docs/examples/publish.yml", "publish")]
    public void JobThatSendsSomethingToTheApp_MayRunInsideItsNetwork(string file, string job) =>
        Root(File.ReadAllText(RepositoryRoot.Of(file.Split('/'))))["jobs"][job]["runs-on"].ToString().ShouldBe("${{ vars.RUNNER || 'ubuntu-latest' }}");

    /// <summary>The address of people may answer in a network of their own alone.</summary>
    [Fact]
    public void Release_IsLookedAtUnderTheAppsOwnName()
    {
        Text("deploy.yml").ShouldContain("\"https://$APP.azurewebsites.net/healthz\"");
        Text("deploy.yml").ShouldNotContain("APP_URL");
    }

    /// <summary>Its identity may read and nothing else, and the usual what-if asks for the right to write.</summary>
    [Fact]
    public void WhatIf_AsksForNoRightToWrite() => Text("what-if.yml").ShouldContain(" --validation-level ProviderNoRbac ");

    [Fact]
    public void Azd_FindsTheTemplateTheAppAndItsHooks()
    {
        var azd = Root(File.ReadAllText(RepositoryRoot.Of("azure.yaml")));

        File.Exists(RepositoryRoot.Of(azd["infra"]["path"].ToString(), azd["infra"]["module"] + ".bicep")).ShouldBeTrue();
        azd["services"]["runbooks"]["project"].ToString().ShouldBe("src/RunbookFunctions");
        foreach (var hook in ((YamlMappingNode)azd["hooks"]).Children.Values)
        {
            var script = RepositoryRoot.Of(hook["run"].ToString());
            File.Exists(script).ShouldBeTrue(script);
            (OperatingSystem.IsWindows() || File.GetUnixFileMode(script).HasFlag(UnixFileMode.UserExecute)).ShouldBeTrue(script);
        }
    }

    private static IEnumerable<string> Steps(YamlMappingNode job) =>
        ((YamlSequenceNode)job["steps"]).Cast<YamlMappingNode>().Where(step => step.Children.ContainsKey("uses")).Select(step => step["uses"].ToString());

    private static string Text(string file) => File.ReadAllText(RepositoryRoot.Of(".github", "workflows", file));

    private static YamlNode Root(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return stream.Documents[0].RootNode;
    }
}
