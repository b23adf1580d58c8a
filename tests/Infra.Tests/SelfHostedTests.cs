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
    public void ContainerApp_NamesItsIdentityForChecksAndActionsToo()
    {
        var documentation = File.ReadAllText(RepositoryRoot.Of("docs", "operations.md"));
        var command = documentation[documentation.IndexOf("az containerapp create", StringComparison.Ordinal)..];
        var settings = Setting().Matches(command[..command.IndexOf("```", StringComparison.Ordinal)]).Select(setting => (Name: setting.Groups[1].Value, Value: setting.Groups[2].Value)).ToList();

        settings.Select(setting => setting.Name).Except(OptionsClasses.All.Select(known => known.Name)).ShouldBeEmpty();
        settings.ShouldContain(("Azure__ManagedIdentityClientId", settings.Single(setting => setting.Name == "Storage__ClientId").Value));
    }

    /// <summary>In AKS the webhook of workload identity names the identity for everything.</summary>
    [Fact]
    public void Pods_AreGivenTheirIdentityByTheWebhook() =>
        Spec("template")["metadata"]["labels"]["azure.workload.identity/use"].ToString().ShouldBe("true");

    [GeneratedRegex(@"RUNBOOK_(\w+)=(\S+)", RegexOptions.NonBacktracking)]
    private static partial Regex Setting();

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
