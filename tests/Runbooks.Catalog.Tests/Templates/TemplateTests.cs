using CsCheck;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;

namespace Runbooks.Catalog.Tests.Templates;

public sealed class TemplateTests
{
    private static readonly TemplateScope s_scope = new()
    {
        Alert = new Alert
        {
            Source = "alertmanager",
            Name = "HighLatency",
            Fingerprint = "f1",
            Severity = "critical",
            Labels = new Dictionary<string, string> { ["pod"] = "llm-b-0", ["app.kubernetes.io/name"] = "llm", ["evil"] = "{{ labels.pod }}" },
            Annotations = new Dictionary<string, string> { ["runbook_url"] = "https://wiki/x" },
        },
        Target = "inference/llm-b-0",
        IncidentId = "i1",
        Findings = new Dictionary<string, CheckResult> { ["gpu-memory"] = CheckResult.Failing("97 % used") with { Value = "97" } },
        Steps = new Dictionary<string, IReadOnlyDictionary<string, string>>
        {
            ["recycle"] = new Dictionary<string, string> { ["new.uid"] = "u2" },
        },
    };

    [Theory]
    [InlineData("no placeholder", "no placeholder")]
    [InlineData("{{labels.pod}}", "llm-b-0")]
    [InlineData("max(m{pod=\"{{ labels.pod }}\"}) > {}", "max(m{pod=\"llm-b-0\"}) > {}")]
    [InlineData("{{ labels.app.kubernetes.io/name }}", "llm")]
    [InlineData("{{ annotations.runbook_url }}", "https://wiki/x")]
    [InlineData("{{ alert.name }} {{ alert.source }} {{ alert.severity }} {{ alert.status }} {{ alert.fingerprint }}", "HighLatency alertmanager critical firing f1")]
    [InlineData("{{ target }} in {{ incident.id }}", "inference/llm-b-0 in i1")]
    [InlineData("{{ findings.gpu-memory.verdict }}: {{ findings.gpu-memory.value }}, {{ findings.gpu-memory.summary }}", "failing: 97, 97 % used")]
    [InlineData("{{ steps.recycle.new.uid }}", "u2")]
    [InlineData("}} alone", "}} alone")]
    public void AllValuesThere_RendersThem(string text, string expected)
    {
        var rendered = Template.Render(text, s_scope);

        rendered.Errors.ShouldBeEmpty();
        rendered.Value.ShouldBe(expected);
    }

    [Theory]
    [InlineData("{{ labels.node }}", "{{ labels.node }} has no value. The alert's labels are: app.kubernetes.io/name, evil, pod.")]
    [InlineData("{{ alert.summary }}", "{{ alert.summary }} has no value. The sender gave none.")]
    [InlineData("{{ findings.zombie.value }}", "{{ findings.zombie.value }} has no value. There are findings of: gpu-memory.")]
    [InlineData("{{ steps.recycle.old }}", "{{ steps.recycle.old }} has no value. The step's outputs are: new.uid.")]
    [InlineData("{{ steps.later.x }}", "{{ steps.later.x }} has no value. These steps have run: recycle.")]
    public void ValueMissing_NamesThePlaceholderAndWhatIsThere(string text, string error)
    {
        var rendered = Template.Render(text, s_scope);

        rendered.Value.ShouldBeNull();
        rendered.Errors.ShouldBe([error]);
    }

    [Fact]
    public void SeveralMissing_AllAreReported() =>
        Template.Render("{{ labels.a }} {{ labels.b }}", s_scope).Errors.Count.ShouldBe(2);

    [Theory]
    [InlineData("{{ lables.pod }}", "Did you mean 'labels'?")]
    [InlineData("{{ alert.nam }}", "An alert has: name")]
    [InlineData("{{ env.PATH }}", "A placeholder begins with one of")]
    [InlineData("{{ labels. }}", "names no key")]
    [InlineData("{{ }}", "A placeholder begins with one of")]
    [InlineData("{{ target.x }}", "Write {{ target }}")]
    [InlineData("{{ labels.{{ labels.pod }} }}", "is not a placeholder")]
    [InlineData("{{ labels.pod", "is not closed")]
    [InlineData("{{ labels.pod ?? labels.node }}", "no filters, functions and alternatives")]
    [InlineData("{{ labels.a + labels.b }}", "no filters, functions and alternatives")]
    [InlineData("{{ labels.pods[0] }}", "no filters, functions and alternatives")]
    [InlineData("{{ labels. pod }}", "has a blank beside the dot. Write {{ labels.pod }}.")]
    [InlineData("{{ labels .pod }}", "has a blank beside the dot. Write {{ labels.pod }}.")]
    [InlineData("{{ findings.gpu-memory }}", "findings.<check>.verdict")]
    [InlineData("{{ steps.recycle }}", "steps.<step>.<output>")]
    public void PlaceholderUnknown_SaysWhatToWrite(string text, string part) =>
        Template.Parse(text).Errors.ShouldHaveSingleItem().ShouldContain(part);

    [Fact]
    public void ValueHoldsAPlaceholder_IsNeverEvaluated()
    {
        Template.Render("{{ labels.evil }}", s_scope).Value.ShouldBe("{{ labels.pod }}");
        Template.RenderLenient("{{ labels.evil }}", s_scope).ShouldBe("{{ labels.pod }}");
    }

    [Fact]
    public void ValuesFormAPlaceholderTogether_IsNeverEvaluated()
    {
        var scope = s_scope with
        {
            Alert = s_scope.Alert! with { Labels = new Dictionary<string, string> { ["a"] = "{{ labels", ["b"] = ".secret }}", ["secret"] = "s" } },
        };

        Template.Render("{{ labels.a }}{{ labels.b }}", scope).Value.ShouldBe("{{ labels.secret }}");
    }

    [Fact]
    public void Lenient_WritesAQuestionMarkForWhatIsMissing() =>
        Template.RenderLenient("{{ labels.namespace }}/{{ labels.pod }}/{{ nonsense }}", s_scope).ShouldBe("?/llm-b-0/?");

    [Fact]
    public void HugeValue_IsBounded()
    {
        var scope = s_scope with
        {
            Alert = s_scope.Alert! with { Labels = new Dictionary<string, string> { ["big"] = new('x', 10_000) } },
        };
        var text = string.Concat(Enumerable.Repeat("{{ labels.big }}", 1_000));

        Template.Render(text, scope).Value.ShouldBeNull();
        Template.RenderLenient(text, scope).Length.ShouldBe(Template.MaxLength);
    }

    [Fact]
    public void PlanMode_KeepsOutputsOfStepsThatHaveNotRun()
    {
        var rendered = Template.Parse("{{ labels.pod }} {{ steps.later.uid }} {{ steps.recycle.new.uid }}").Render(s_scope, RenderMode.Plan);

        rendered.Value.ShouldBe("llm-b-0 {{ steps.later.uid }} u2");
        rendered.Pending.ShouldBeTrue();
    }

    [Fact]
    public void AnyValue_IsInsertedAsItIs()
    {
        Texts("{{", "}}", "{", "}", " labels.x ", "target", "steps.recycle.new.uid").Sample(value =>
        {
            var scope = s_scope with { Alert = s_scope.Alert! with { Labels = new Dictionary<string, string> { ["x"] = value } } };
            return Template.Render("<{{ labels.x }}|{{ target }}>", scope).Value == $"<{value}|inference/llm-b-0>";
        });
    }

    [Fact]
    public void AnyText_IsATemplateOrAnError() =>
        Texts("{{", "}}", "labels", ".", "findings", "steps", " ").Sample(text =>
        {
            var rendered = Template.Render(text, s_scope);
            return (rendered.Value is null) == (rendered.Errors.Count > 0) && Template.RenderLenient(text, s_scope) is not null;
        });

    private static Gen<string> Texts(params string[] pieces) =>
        Gen.OneOf(Gen.Int[0, pieces.Length - 1].Select(index => pieces[index]), Gen.String[0, 4]).Array[0, 10].Select(parts => string.Concat(parts));
}
