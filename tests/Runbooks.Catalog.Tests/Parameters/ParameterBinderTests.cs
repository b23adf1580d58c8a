using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Catalog.Tests.Parameters;

public sealed class ParameterBinderTests
{
    public enum Speed { Slow, VeryFast }

    public sealed record Rule(string Name, [Range(1, 9)] int Priority = 5);

    public sealed record Positional(
        [property: Description("Which pod.")][KubernetesName(Subdomain = true)] string Pod,
        [Range(1, 10)] int Count = 3,
        TimeSpan? Wait = null,
        Speed Speed = Speed.VeryFast,
        IReadOnlyList<string>? Names = null,
        IReadOnlyDictionary<string, string>? Tags = null,
        DateOnly? Day = null,
        [Secret] string? ApiKey = null,
        IReadOnlyList<Rule>? Rules = null);

    public sealed record Ruled
    {
        [Required, ForPeople(20, OneLine = true)] public required string Title { get; init; }
        [TextPattern("^[a-z]+$", "a name of letters")] public string? Name { get; init; }
        [MaxLength(5)] public string? Store { get; init; }
        [KubernetesName] public IReadOnlyList<string> Hosts { get; init; } = [];
        [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")] public TimeSpan? Window { get; init; }
    }

    public sealed record WithProperties
    {
        public required string Name { get; init; }
        public double Ratio { get; init; } = 0.5;
        public bool Force { get; init; }
        public int Size { get; init; }
        public IReadOnlyList<int> Codes { get; init; } = [];
        [Secret, Range(1000, 9999)] public int Pin { get; init; } = 1234;
        public JsonNode? Body { get; init; }
    }

    public sealed record Inner : IValidatableObject
    {
        public int Least { get; init; } = 1;
        public int Most { get; init; } = 5;

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
            Least > Most ? [new("is more than 'most'.", [nameof(Least), nameof(Most)])] : [];
    }

    /// <summary>Rules between parameters, as those of real steps are.</summary>
    public sealed record Together : IValidatableObject
    {
        [KubernetesName] public required string Name { get; init; }
        [KubernetesName] public IReadOnlyList<string> Hosts { get; init; } = [];
        public int? Add { get; init; }
        public int? Replicas { get; init; }
        public int Max { get; init; } = 10;
        public DateOnly? Day { get; init; }
        public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();
        public Inner? Inner { get; init; }
        public JsonObject? Body { get; init; }

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Add is null == Replicas is null)
            {
                yield return new AnyValueResult("Say either 'add' or 'replicas'.", nameof(Replicas));
            }

            if (Replicas > Max)
            {
                yield return new("is more than 'max'.", [nameof(Replicas), nameof(Max)]);
            }

            if (Hosts.Count > 2)
            {
                yield return new("are more than 2.", [nameof(Hosts)]);
            }
        }
    }

    [Fact]
    public void EverythingGiven_BindsEachType()
    {
        var bound = Bind<Positional>("""
            { "pod": "llm-b-0", "count": 7, "wait": "1h30m", "speed": "slow", "names": ["a", "b"], "tags": { "k": "v" },
              "day": "2026-11-23", "apiKey": "s3cret", "rules": [{ "name": "r" }] }
            """);

        bound.Pod.ShouldBe("llm-b-0");
        bound.Count.ShouldBe(7);
        bound.Wait.ShouldBe(TimeSpan.FromMinutes(90));
        bound.Speed.ShouldBe(Speed.Slow);
        bound.Names.ShouldBe(["a", "b"]);
        bound.Tags!["k"].ShouldBe("v");
        bound.Day.ShouldBe(new DateOnly(2026, 11, 23));
        bound.Rules.ShouldBe([new Rule("r", 5)]);
    }

    [Fact]
    public void OnlyTheRequired_TakesTheDefaults()
    {
        var bound = Bind<Positional>("""{ "pod": "p" }""");
        (bound.Count, bound.Wait, bound.Speed, bound.Names).ShouldBe((3, null, Speed.VeryFast, null));

        var properties = Bind<WithProperties>("""{ "name": "n" }""");
        (properties.Ratio, properties.Force, properties.Pin).ShouldBe((0.5, false, 1234));
    }

    [Fact]
    public void TextForNumbersAndTruthValues_IsConverted()
    {
        var bound = Bind<WithProperties>("""{ "name": 1.10, "ratio": "0.25", "force": "True", "size": "5000", "codes": ["200", 204], "body": { "a": 1 } }""");

        (bound.Name, bound.Ratio, bound.Force, bound.Size).ShouldBe(("1.10", 0.25, true, 5_000));
        bound.Codes.ShouldBe([200, 204]);
        bound.Body.ShouldNotBeNull()["a"]!.GetValue<int>().ShouldBe(1);
    }

    [Fact]
    public void EverythingWrong_IsReportedAtOnceByKey()
    {
        var errors = Errors<Positional>("""
            { "pdo": "x", "count": 11, "wait": "5 minutes", "speed": "slwo", "names": { "a": 1 }, "tags": ["x"], "day": "95", "rules": [{ "priority": 0, "colour": 1 }] }
            """);

        errors.ShouldBe(
        [
            "pdo: is not a parameter. Did you mean 'pod'? The parameters are: pod, count, wait, speed, names, tags, day, apiKey, rules.",
            "pod: is missing. Write a Kubernetes name: at most 253 lower-case letters, digits, dashes and dots, beginning and ending with a letter or digit.",
            "count: '11' is not from 1 to 10.",
            "wait: '5 minutes' is not a duration such as 20s, 5m, 1h30m or 2d.",
            "speed: 'slwo' is not one of: slow, veryFast. Did you mean 'slow'?",
            "names: A mapping is not a list; each item is text.",
            "tags: A list is not a mapping; each value is text.",
            "day: '95' is not a DateOnly.",
            "rules[0].colour: is not a parameter. The parameters are: name, priority.",
            "rules[0].name: is missing. Write text.",
            "rules[0].priority: '0' is not from 1 to 9.",
        ]);
    }

    [Fact]
    public void OneText_IsAListOfOne() => ParameterBinder.Bind(Json("""{ "pod": "p", "names": "a" }"""), typeof(Positional)).Value.ShouldBeOfType<Positional>().Names.ShouldBe(["a"]);

    [Fact]
    public void EmptyValue_IsAnErrorInAFileAndTheDefaultInAnIncident()
    {
        var with = Json("""{ "pod": null, "count": null }""");

        ParameterBinder.Check(with, typeof(Positional)).Select(error => error.ToString()).ShouldBe(
        [
            "pod: is empty. Write a Kubernetes name: at most 253 lower-case letters, digits, dashes and dots, beginning and ending with a letter or digit.",
            "count: is empty. Write a whole number, from 1 to 10, or remove it.",
        ]);
        ParameterBinder.Bind(Json("""{ "pod": "p", "count": null }"""), typeof(Positional)).Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("99999999999")]
    [InlineData("1.5")]
    [InlineData("one")]
    [InlineData("")]
    public void NotAWholeNumber_IsAnError(string text) =>
        Errors<Positional>($$"""{ "pod": "p", "count": "{{text}}" }""").ShouldHaveSingleItem().ShouldContain("is not a whole number");

    [Theory]
    [InlineData("NaN")]
    [InlineData("1e999")]
    public void NotAFiniteNumber_IsAnError(string text) =>
        Errors<WithProperties>($$"""{ "name": "n", "ratio": "{{text}}" }""").ShouldHaveSingleItem().ShouldContain("is not a number");

    [Fact]
    public void RuleBroken_ShowsTheClippedValue()
    {
        var error = Errors<Positional>($$"""{ "pod": "{{new string('A', 500)}}" }""").ShouldHaveSingleItem();

        error.ShouldContain("is not a Kubernetes name");
        error.ShouldNotContain(new string('A', 100));
    }

    /// <summary>In words, with the remedy, whichever attribute says it.</summary>
    [Theory]
    [InlineData("""{ "title": "two\nlines" }""", "title: 'two\nlines' is not a text of at most 20 characters on one line.")]
    [InlineData("""{ "title": "longer than twenty letters" }""", "title: 'longer than twenty letters' is not a text of at most 20 characters on one line.")]
    [InlineData("""{ "title": " " }""", "title: is empty. Write a text of at most 20 characters on one line.")]
    [InlineData("""{ "title": "t", "name": "-a" }""", "name: '-a' is not a name of letters.")]
    [InlineData("""{ "title": "t", "name": "a\n" }""", "name: 'a\n' is not a name of letters.")]
    [InlineData("""{ "title": "t", "store": "longer" }""", "store: is longer than 5 characters. Write less.")]
    [InlineData("""{ "title": "t", "hosts": ["a", "B"] }""", "hosts[1]: 'B' is not a Kubernetes name: at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit.")]
    public void RuleBroken_IsToldInWords(string with, string error) => Errors<Ruled>(with).ShouldBe([error]);

    [Fact]
    public void Words_NameTheBounds() => StepParameters.Of(typeof(Ruled)).ToDictionary(parameter => parameter.Name, parameter => parameter.Expected).ShouldBe(new Dictionary<string, string>
    {
        ["title"] = "a text of at most 20 characters on one line",
        ["name"] = "a name of letters",
        ["store"] = "text of at most 5 characters",
        ["hosts"] = "a list; each item is a Kubernetes name: at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit",
        ["window"] = "a duration such as 20s, 5m, 1h30m or 2d, from 1m to 7d",
    });

    [Fact]
    public void SecretWrong_IsNotShown() =>
        Errors<WithProperties>("""{ "name": "n", "pin": "hunter2" }""").ShouldBe(["pin: The value is not a whole number."]);

    [Fact]
    public void Check_LeavesOutTemplatesAndChecksTheRest()
    {
        var with = Json("""{ "pod": "{{ labels.pod }}", "count": "{{ labels.count }}", "names": ["{{ labels.a }}", 1], "speed": "wrong" }""");

        ParameterBinder.Check(with, typeof(Positional)).ShouldHaveSingleItem().Key.ShouldBe("speed");
    }

    /// <summary>A step without any placeholder is rare: what the file itself shows must not wait for an alert.</summary>
    [Theory]
    [InlineData("""{ "name": "{{ labels.name }}" }""", "replicas: Say either 'add' or 'replicas'.")]
    [InlineData("""{ "name": "{{ labels.name }}", "replicas": "{{ labels.a }}", "add": "{{ labels.b }}" }""", "replicas: Say either 'add' or 'replicas'.")]
    [InlineData("""{ "name": "{{ labels.name }}", "replicas": 11 }""", "replicas: is more than 'max'.")]
    [InlineData("""{ "name": "{{ labels.name }}", "add": 1, "hosts": ["a", "{{ labels.b }}", "c"] }""", "hosts: are more than 2.")]
    [InlineData("""{ "name": "{{ labels.name }}", "add": 1, "inner": { "least": 6 } }""", "inner.least: is more than 'most'.")]
    [InlineData("""{ "name": "{{ labels.name }}", "add": 1, "hosts": ["{{ labels.a }}", "B"] }""", "hosts[1]: 'B' is not a Kubernetes name: at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit.")]
    [InlineData("""{ "name": "n", "add": 1, "tags": "{{ labels.tags }}" }""", "tags: '{{ labels.tags }}' is not a mapping; each value is text.")]
    [InlineData("""{ "name": "n", "add": 1, "inner": "{{ labels.inner }}" }""", "inner: '{{ labels.inner }}' is not a mapping with the keys: least, most.")]
    [InlineData("""{ "name": "n", "add": 1, "body": "{{ labels.body }}" }""", "body: '{{ labels.body }}' is not a mapping.")]
    public void Check_LooksAtRulesBetweenParametersBesideATemplate(string with, string error) =>
        ParameterBinder.Check(Json(with), typeof(Together)).Select(one => one.ToString()).ShouldBe([error]);

    [Theory]
    [InlineData("""{ "name": "n", "replicas": "{{ labels.replicas }}", "max": 1 }""")]
    [InlineData("""{ "name": "n", "replicas": 11, "max": "{{ labels.max }}", "day": "{{ labels.day }}" }""")]
    [InlineData("""{ "name": "n", "add": "{{ labels.add }}", "hosts": "{{ labels.host }}", "tags": { "a": "{{ labels.tag }}" } }""")]
    [InlineData("""{ "name": "n", "add": 1, "inner": { "least": "{{ labels.least }}", "most": -1 }, "body": { "a": "{{ labels.a }}" } }""")]
    public void Check_LeavesOutRulesThatHangOnATemplate(string with) => ParameterBinder.Check(Json(with), typeof(Together)).ShouldBeEmpty();

    [Fact]
    public void Mask_HidesSecretsAndUnknownKeys() =>
        ParameterMask.Mask(Json("""{ "pod": "p", "apiKey": "s3cret", "ApiKey": "s3cret", "rules": [{ "name": "r", "nmae": "x" }] }"""), typeof(Positional))
            .ToString().ShouldBe(Json("""{ "pod": "p", "apiKey": "•••", "ApiKey": "•••", "rules": [{ "name": "r", "nmae": "•••" }] }""").ToString());

    [Fact]
    public void Of_DescribesTheParameters()
    {
        var parameters = StepParameters.Of(typeof(Positional)).ToDictionary(parameter => parameter.Name);

        parameters["pod"].Description.ShouldBe("Which pod.");
        parameters["pod"].Required.ShouldBeTrue();
        (parameters["speed"].Default, parameters["count"].Default, parameters["wait"].Default).ShouldBe(("veryFast", "3", null));
        parameters["apiKey"].Secret.ShouldBeTrue();
        StepParameters.Of(typeof(WithProperties)).Single(parameter => parameter.Name == "ratio").Default.ShouldBe("0.5");
    }

    private static JsonObject Json(string json) => JsonNode.Parse(json)!.AsObject();

    private static T Bind<T>(string json)
    {
        var result = ParameterBinder.Bind(Json(json), typeof(T));
        result.Errors.ShouldBeEmpty();
        return result.Value.ShouldBeOfType<T>();
    }

    private static List<string> Errors<T>(string json)
    {
        var result = ParameterBinder.Bind(Json(json), typeof(T));
        result.Value.ShouldBeNull();
        return [.. result.Errors.Select(error => error.ToString())];
    }
}
