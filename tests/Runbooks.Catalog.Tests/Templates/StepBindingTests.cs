using System.Text.Json;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Tests.Templates;

public sealed class StepBindingTests
{
    private sealed record Further([ForPeople(10)] string Who);

    private sealed record QueryParameters([QueryText(Comment = "//")] string Query, string? Note = null, IReadOnlyDictionary<string, string>? Tags = null)
    {
        [ForPeople(20, OneLine = true)]
        public string? Title { get; init; }

        [ForPeople(20)]
        public IReadOnlyList<string> Items { get; init; } = [];

        public IReadOnlyList<Further> Further { get; init; } = [];

        [KubernetesName(Subdomain = true)]
        public string? Pod { get; init; }

        public TimeSpan? Wait { get; init; }

        [HttpUrl]
        public string? Url { get; init; }

        [ArmResourceId]
        public string? Id { get; init; }

        public Call? Request { get; init; }
    }

    private sealed record Call([HttpUrl] string Url);

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

    /// <summary>Outside quotes, words and slashes are operators and comments.</summary>
    [Theory]
    [InlineData("up > {{ labels.pod }}", "5 or up", "0 unless up", "0 //", "a/b", "a@b", "5-up", "ö")]
    [InlineData("up{pod=\"a\"} > {{ labels.pod }}", "5 or up")]
    [InlineData("up{pod=\"a\\\"\"} > {{ labels.pod }}", "5 or up")]
    [InlineData("T | where Path == @'C:\\' and Code == {{ labels.pod }}", "1 or true")]
    [InlineData("T | where A == @'it''s \\' and B == {{ labels.pod }}", "1 or true")]
    [InlineData("T | where A == @\"say \"\"hi\"\" \\\" and B == {{ labels.pod }}", "1 or true")]
    [InlineData("T // what's left\n| where Code == {{ labels.pod }}", "1 or true")]
    [InlineData("T | where A == 'it`s' and B == {{ labels.pod }}", "1 or true")]
    [InlineData("T | where A == `\\` and B == {{ labels.pod }}", "1 or true")]
    [InlineData("{{ labels.pod }}", "up or down")]
    public void WordsOutsideTheQuotesOfAQuery_AreRefused(string query, params string[] values)
    {
        foreach (var value in values)
        {
            Render(Query(query), value).Errors.ShouldHaveSingleItem(value).Problem.ShouldContain("may not be put into a query outside quotes");
        }

        foreach (var value in new[] { "5", "-0.5", "job:requests:rate5m", "Name_1" })
        {
            Render(Query(query), value).Value["query"]!.GetValue<string>().ShouldBe(query.Replace("{{ labels.pod }}", value, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("up{a=\"x\",pod=\"{{ labels.pod }}\"}")]
    [InlineData("up{a='\"',pod='{{ labels.pod }}'}")]
    [InlineData("up{pod=`\n{{ labels.pod }}`}")]
    [InlineData("T | where Url == \"https://{{ labels.pod }}\"")]
    [InlineData("T // of {{ labels.pod }}\n| count")]
    public void WordsWithinTheQuotesOfAQuery_AreInserted(string query) =>
        Render(Query(query), "East US/a-b@c").Value["query"]!.GetValue<string>().ShouldBe(query.Replace("{{ labels.pod }}", "East US/a-b@c", StringComparison.Ordinal));

    private static string Query(string text) => JsonSerializer.Serialize(new { query = text });

    [Theory]
    [InlineData("url", "https://{{ labels.pod }}.example.com:{{ labels.pod }}/", "8080")]
    [InlineData("url", "https://api-{{ labels.pod }}/health", "blue")]
    [InlineData("url", "https://gateway.{{ labels.pod }}/health", "west.example.com")]
    [InlineData("url", "https://jobs.internal/api/jobs/{{ labels.pod }}/cancel", "42", "v1.2_a~b:c@d")]
    [InlineData("url", "https://{{ labels.pod }}/health", "10.0.0.1:9400", "llm-b-0.pool")]
    [InlineData("url", "https://gateway/check?model={{ labels.pod }}", "meta-llama/Llama-3.1", "")]
    [InlineData("url", "{{ labels.pod }}", "https://host/path?x=1", "anything that is looked at whole")]
    [InlineData("id", "/subscriptions/s/resourceGroups/g/providers/p/t/{{ labels.pod }}", "vm-1", "vm.1_(a)")]
    [InlineData("id", "{{ labels.pod }}", "/subscriptions/s/resourceGroups/g/providers/p/t/vm", "/x")]
    [InlineData("id", "{{ labels.pod }}/deployments/gpt", "/subscriptions/s", "/x")]
    public void PartOfAnAddress_IsInserted(string key, string text, params string[] values)
    {
        foreach (var value in values)
        {
            Render($$"""{ "{{key}}": "{{text}}" }""", value).Value[key]!.GetValue<string>().ShouldBe(text.Replace("{{ labels.pod }}", value, StringComparison.Ordinal));
        }
    }

    /// <summary>Whoever sends an alert must not choose which path, query or resource a request goes to.</summary>
    [Theory]
    [InlineData("url", "https://jobs.internal/api/jobs/{{ labels.pod }}/cancel", "42/cancel?all=true&x=", "../tenants/7/delete#", "a/b", "a?b", "a#b", "a%2Fb", "a\\b", ".", "..", "", "a b", "ａ")]
    [InlineData("url", "https://api.example.com{{ labels.pod }}", ".evil.com", ".evil.com:80", "@evil.com", ":80")]
    [InlineData("url", "https://api-{{ labels.pod }}/health", "x.evil.com")]
    [InlineData("url", "http://host:80{{ labels.pod }}", "@evil.com")]
    [InlineData("url", "https://gateway/check?model={{ labels.pod }}", "a&all=true", "a#b", "a%26b", "a+b")]
    [InlineData("id", "/subscriptions/s/resourceGroups/g/providers/p/virtualMachines/{{ labels.pod }}", "a/extensions/x", "a/providers/Microsoft.Authorization/locks/y", "/")]
    public void PartOfAnAddressThatWouldLeadElsewhere_IsRefused(string key, string text, params string[] values)
    {
        foreach (var value in values)
        {
            Render($$"""{ "{{key}}": "{{text}}" }""", value).Errors.ShouldHaveSingleItem(value).Problem.ShouldContain("may not be put into a");
        }
    }

    [Fact]
    public void AddressWithinAnotherRecord_IsLookedAtToo() =>
        Render("""{ "request": { "url": "https://host/{{ labels.pod }}" } }""", "a/b").Errors.ShouldHaveSingleItem().Key.ShouldBe("request.url");

    /// <summary>Words keep no runbook from being run: nobody would be asked about the fix, because the title of a ticket is too long.</summary>
    [Theory]
    [InlineData("🔥 queue\nis long", "🔥 queue is long")]
    [InlineData("queue of the pod is far too long", "queue of the pod is…")]
    [InlineData(" ", "?")]
    public void TextForPeople_IsCutAndPutOnOneLine(string value, string said) =>
        Render("""{ "title": "{{ labels.pod }}" }""", value).Value["title"]!.GetValue<string>().ShouldBe(said);

    [Fact]
    public void TextForPeopleThatIsHuge_IsCutToo()
    {
        var rendered = Render("""{ "title": "{{ labels.pod }}{{ labels.pod }}" }""", new string('x', Template.MaxLength));

        rendered.Errors.ShouldBeEmpty();
        rendered.Value["title"]!.GetValue<string>().ShouldBe($"{new string('x', 19)}…");
    }

    [Fact]
    public void MissingValueInATextForPeople_IsAQuestionMark()
    {
        var rendered = Render("""{ "title": "{{ labels.a }} on {{ labels.pod }}", "items": ["{{ labels.a }}\nnext"], "further": [{ "who": "{{ labels.a }}" }] }""");

        rendered.Errors.ShouldBeEmpty();
        rendered.Value.ToJsonString().ShouldBe("""{"title":"? on llm-b-0","items":["?\nnext"],"further":[{"who":"?"}]}""");
    }

    [Fact]
    public void TextForPeople_WaitsForTheStepsItTellsOf()
    {
        var rendered = Render("""{ "title": "The ticket {{ steps.first.id }}" }""", mode: RenderMode.Plan);

        rendered.Pending.ShouldBeTrue();
        rendered.Value["title"]!.GetValue<string>().ShouldBe("The ticket {{ steps.first.id }}");
    }

    /// <summary>A folded text in the file ends with a line break.</summary>
    [Fact]
    public void WhatIsFilledIntoAName_HasNoBlanksAroundIt()
    {
        var rendered = Render("""{ "pod": "{{ labels.pod }}\n", "wait": " 5m\n", "note": "{{ labels.pod }}\n" }""").Value;

        (rendered["pod"]!.GetValue<string>(), rendered["wait"]!.GetValue<string>(), rendered["note"]!.GetValue<string>()).ShouldBe(("llm-b-0", "5m", "llm-b-0\n"));
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
