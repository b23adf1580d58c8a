using TestKit;
using YamlDotNet.RepresentationModel;

namespace Infra.Tests;

/// <summary>The sample for several self-hosted processes.</summary>
public class SelfHostedTests
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
