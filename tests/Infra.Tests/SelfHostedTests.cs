using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TestKit;
using YamlDotNet.RepresentationModel;

namespace Infra.Tests;

/// <summary>The sample for several self-hosted processes.</summary>
public partial class SelfHostedTests
{
    private const string Prefix = "RUNBOOK_";

    private static readonly YamlMappingNode _container = (YamlMappingNode)((YamlSequenceNode)Pod("containers"))[0];

    [Fact]
    public void Settings_AreSettingsThatTheCodeReads()
    {
        var named = ((YamlSequenceNode)_container["env"]).Select(variable => variable["name"].ToString()).Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).ToList();

        named.ShouldContain("RUNBOOK_Storage__AccountName");
        named.Select(name => name[Prefix.Length..]).Except(OptionsClasses.All.Select(setting => setting.Name)).ShouldBeEmpty();
    }

    /// <summary>The identity of the storage account is that account's alone. Whoever has none named for the rest asks for one that is not there.</summary>
    [Fact]
    public async Task ContainerApp_NamesItsIdentityForChecksAndActionsToo()
    {
        var settings = (await ContainerAppAsync())["env"]!.AsArray().ToDictionary(variable => (string)variable!["name"]!, variable => (string)variable!["value"]!);

        settings.Keys.ShouldAllBe(name => name.StartsWith(Prefix, StringComparison.Ordinal));
        settings.Keys.Select(name => name[Prefix.Length..]).Except(OptionsClasses.All.Select(setting => setting.Name)).ShouldBeEmpty();
        settings["RUNBOOK_Azure__ManagedIdentityClientId"].ShouldBe(settings["RUNBOOK_Storage__ClientId"]);
    }

    /// <summary>Only where they write and read differs.</summary>
    [Fact]
    public async Task ContainerApp_RunsWhatAPodRuns()
    {
        string[] places = ["--data", "--runbooks"];
        var app = await ContainerAppAsync();

        Arguments(app["args"]!.AsArray().Select(argument => (string)argument!)).ShouldBe(Arguments(((YamlSequenceNode)_container["args"]).Select(argument => argument.ToString())));
        foreach (var probe in app["probes"]!.AsArray())
        {
            var pods = _container[$"{((string)probe!["type"]!).ToLowerInvariant()}Probe"];
            foreach (var (name, value) in probe.AsObject().Where(member => member.Key != "type"))
            {
                (value is JsonObject parts ? parts.Select(part => $"{part.Key}: {part.Value}") : [$"{value}"]).ShouldBe(
                    pods[name] is YamlMappingNode mapping ? mapping.Children.Select(part => $"{part.Key}: {part.Value}") : [$"{pods[name]}"], name);
            }
        }

        IEnumerable<string> Arguments(IEnumerable<string> all)
        {
            var list = all.ToList();
            return list.Where((_, at) => at == 0 || !places.Contains(list[at - 1]));
        }
    }

    /// <summary>All processes share the account: when it is away none of them would be left to answer an alert with 503, and what stands in front answers 502, which Azure Monitor does not repeat.</summary>
    [Fact]
    public void Processes_AreNotLeftOutForWhatAllOfThemShare() => _container["readinessProbe"]["httpGet"]["path"].ToString().ShouldBe("/readyz");

    /// <summary>The Azure CLI takes a value that begins with a dash for an option of its own, and refuses the command.</summary>
    [Fact]
    public void NoCommandOfThePages_HandsArgumentsOfTheProgramToTheAzureCli() =>
        Directory.EnumerateFiles(RepositoryRoot.Of("docs"), "*.md", SearchOption.AllDirectories).Where(page => DashedArguments().IsMatch(File.ReadAllText(page))).ShouldBeEmpty();

    private static async Task<JsonObject> ContainerAppAsync()
    {
        var (code, output) = await BicepCompiler.RunAsync(RepositoryRoot.Of("infra", "bicep"), "build", "container-app.bicep", "--stdout");
        code.ShouldBe(0, output);
        return JsonNode.Parse(output)!["resources"]!.AsArray().Single()!["properties"]!["template"]!["containers"]!.AsArray().Single()!.AsObject();
    }

    /// <summary>In AKS the webhook of workload identity names the identity for everything.</summary>
    [Fact]
    public void Pods_AreGivenTheirIdentityByTheWebhook() =>
        Spec("template")["metadata"]["labels"]["azure.workload.identity/use"].ToString().ShouldBe("true");

    [GeneratedRegex(@"--args(?: +\\?\s*[^-\s]\S*)* +-", RegexOptions.NonBacktracking)]
    private static partial Regex DashedArguments();

    [Fact]
    public void Processes_ShareAnAccountAndServeNoPractice()
    {
        var arguments = string.Join(' ', ((YamlSequenceNode)_container["args"]).Select(argument => argument.ToString()));

        arguments.ShouldStartWith("serve --storage azure --no-practice --listen any");
        int.Parse(Spec("replicas").ToString(), System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(1);
    }

    /// <summary>A config map holds no folders: the texts that runbooks name, and teams, would be missing.</summary>
    [Fact]
    public void Runbooks_AreReadFromTheContainerThatTheyArePublishedTo()
    {
        ((YamlSequenceNode)_container["args"]).Select(argument => argument.ToString()).ShouldContain("https://<account>.blob.core.windows.net/runbooks");
        ((YamlSequenceNode)Pod("volumes")).ShouldAllBe(volume => !((YamlMappingNode)volume).Children.ContainsKey("configMap"));
    }

    [Fact]
    public void Process_HasNoRightsThatItDoesNotNeed()
    {
        Pod("securityContext")["runAsNonRoot"].ToString().ShouldBe("true");
        _container["securityContext"]["allowPrivilegeEscalation"].ToString().ShouldBe("false");
        _container["securityContext"]["readOnlyRootFilesystem"].ToString().ShouldBe("true");
    }

    private static YamlNode Pod(string key) => Spec("template")["spec"][key];

    private static YamlNode Spec(string key)
    {
        using var text = File.OpenText(RepositoryRoot.Of("infra", "selfhosted", "kubernetes.yaml"));
        var yaml = new YamlStream();
        yaml.Load(text);
        return yaml.Documents.Select(document => document.RootNode).Single(node => node["kind"].ToString() == "Deployment")["spec"][key];
    }
}
