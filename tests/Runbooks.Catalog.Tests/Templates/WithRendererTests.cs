using System.Text.Json;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Tests.Templates;

public sealed class WithRendererTests
{
    private sealed record QueryParameters([QueryText] string Query, string? Note = null, IReadOnlyDictionary<string, string>? Tags = null);

    [Fact]
    public void NestedStrings_AreRenderedAndOtherValuesKept()
    {
        var rendered = Render("""{ "note": "{{ labels.pod }}", "count": 1.10, "list": ["{{ target }}", true, null], "tags": { "{{ k }}": "{{ labels.pod }}" } }""");

        rendered.Errors.ShouldBeEmpty();
        rendered.Value.ToJsonString().ShouldBe("""{"note":"llm-b-0","count":1.10,"list":["t",true,null],"tags":{"{{ k }}":"llm-b-0"}}""");
    }

    [Fact]
    public void MissingValues_AreReportedByKey() =>
        Render("""{ "note": "{{ labels.a }}", "tags": { "x": ["{{ labels.b }}"] } }""").Errors.Select(error => error.Key).ShouldBe(["note", "tags.x[0]"]);

    [Fact]
    public void PlanMode_IsPendingWhileStepsHaveNotRun()
    {
        var rendered = Render("""{ "note": "{{ steps.first.id }}" }""", mode: RenderMode.Plan);

        rendered.Pending.ShouldBeTrue();
        rendered.Value["note"]!.GetValue<string>().ShouldBe("{{ steps.first.id }}");
        Render("""{ "note": "{{ steps.first.id }}" }""").Errors.ShouldHaveSingleItem();
    }

    [Fact]
    public void AlertTextThatLooksLikeAPlaceholder_IsNotPending() =>
        Render("""{ "note": "{{ labels.pod }}" }""", "{{ steps.first.id }}", RenderMode.Plan).Pending.ShouldBeFalse();

    [Theory]
    [InlineData("llm-b-0.pool:8080/East US")]
    [InlineData("größe_7@x")]
    public void HarmlessValue_GoesIntoAQuery(string value) =>
        Render("""{ "query": "up{pod=\"{{ labels.pod }}\"}" }""", value).Value["query"]!.GetValue<string>().ShouldBe($"up{{pod=\"{value}\"}}");

    [Theory]
    [InlineData("x\"} or vector(0) #")]
    [InlineData("x' | drop")]
    [InlineData("a\\")]
    [InlineData("a\nb")]
    [InlineData("a|b")]
    public void ValueThatCouldChangeAQuery_IsRefused(string value)
    {
        Render("""{ "query": "up{pod=\"{{ labels.pod }}\"}" }""", value).Errors
            .ShouldHaveSingleItem().Problem.ShouldContain("may not be put into a query");
        Render("""{ "note": "{{ labels.pod }}" }""", value).Value["note"]!.GetValue<string>().ShouldBe(value);
    }

    private static RenderedWith Render(string with, string pod = "llm-b-0", RenderMode mode = RenderMode.Run) => WithRenderer.Render(
        JsonDocument.Parse(with).RootElement,
        typeof(QueryParameters),
        new TemplateScope
        {
            Alert = new Alert { Source = "generic", Name = "a", Fingerprint = "f", Labels = new Dictionary<string, string> { ["pod"] = pod } },
            Target = "t",
        },
        mode);
}
