using System.Text.Json;
using System.Text.RegularExpressions;
using Fluid;
using TestKit;

namespace Infra.Tests.DurableFunctionsMonitor;

public sealed partial class TabTemplateTests
{
    private static readonly string s_template = RepositoryRoot.Of("infra", "dfmon", "tab-templates", "Incident.IncidentOrchestrator.liquid");
    private static readonly string s_cases = RepositoryRoot.Of("tests", "Infra.Tests", "DurableFunctionsMonitor", "cases");

    [Theory]
    [InlineData("waiting")]
    [InlineData("ended")]
    [InlineData("hostile")]
    public void History_RendersAsExpected(string name) =>
        Render(name).ShouldBe(File.ReadAllText(Path.Combine(s_cases, $"{name}.html")), StringCompareShould.IgnoreLineEndings);

    [Fact]
    public void HostileHistory_BringsNoTagOfItsOwn()
    {
        var own = Tags(File.ReadAllText(s_template));

        Tags(Render("hostile")).Except(own).ShouldBeEmpty();
    }

    [Fact]
    public void EveryOutput_IsEscaped()
    {
        var outputs = Output().Matches(File.ReadAllText(s_template)).Select(match => match.Groups[1].Value.Trim()).ToList();

        outputs.ShouldNotBeEmpty();
        outputs.ShouldAllBe(output => output.EndsWith("| escape", StringComparison.Ordinal));
    }

    private static string Render(string name)
    {
        new FluidParser().TryParse(File.ReadAllText(s_template), out var template, out var error).ShouldBeTrue(error);
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_cases, $"{name}.json")));
        var context = new TemplateContext();
        foreach (var (key, value) in (Dictionary<string, object?>)MonitorModel.Of(json.RootElement)!)
        {
            context.SetValue(key, value);
        }

        return template.Render(context);
    }

    private static HashSet<string> Tags(string html) => [.. Tag().Matches(html).Select(match => match.Value)];

    [GeneratedRegex(@"\{\{-?(.*?)-?\}\}", RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Output();

    [GeneratedRegex("<[^>]*>", RegexOptions.NonBacktracking)]
    private static partial Regex Tag();
}
