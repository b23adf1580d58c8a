using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Catalog.Tests;

public sealed class ContactRulesTests
{
    private const string Text = """
        id: sample
        title: Sample
        trigger: [{ alert: Something }]
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Nobody notices. }
        mitigation:
          approval:
            ask: Do it?
            from: [oncall, ops-room]
            escalate: [{ after: 5m, to: [platform-lead] }]
          steps:
            flag: { do: flags.set, with: { name: a } }
        resolution:
          approval: { ask: And that?, from: [oncall] }
          steps:
            note: { do: note, with: { text: Done. } }
            tell: { do: tell, with: { to: platform-lead, text: Done. } }
            other: { do: tell, with: { to: "{{ labels.team }}", text: Done. } }
            look: { do: person, with: { instruction: Look at it., who: [oncall, "{{ labels.team }}"], escalate: [{ after: 5m, to: [platform-lead] }] } }
        """;

    private static readonly StepCatalog s_steps = new(SampleSteps.Catalog().Checks, [.. SampleSteps.Catalog().Actions, new Tell()]);

    [Fact]
    public void EveryoneIsKnown_NothingIsSaid() => Errors("OnCall", "ops-room", "platform-lead").ShouldBeEmpty();

    [Fact]
    public void UnknownContact_IsToldByPlaceAndRemedy() => Errors("oncal", "ops-room").ShouldBe(
    [
        "sample.yaml:9:12  mitigation.approval.from[0]  names 'oncall', and the contacts have nobody of that name.  Did you mean 'oncal'? Add it under 'contacts' in the contacts file.",
        "sample.yaml:10:33  mitigation.approval.escalate[0].to  names 'platform-lead', and the contacts have nobody of that name.  Add it under 'contacts' in the contacts file.",
        "sample.yaml:14:37  resolution.approval.from  names 'oncall', and the contacts have nobody of that name.  Did you mean 'oncal'? Add it under 'contacts' in the contacts file.",
        "sample.yaml:17:35  resolution.steps.tell.with.to  names 'platform-lead', and the contacts have nobody of that name.  Add it under 'contacts' in the contacts file.",
        "sample.yaml:19:65  resolution.steps.look.with.who[0]  names 'oncall', and the contacts have nobody of that name.  Did you mean 'oncal'? Add it under 'contacts' in the contacts file.",
        "sample.yaml:19:124  resolution.steps.look.with.escalate[0].to[0]  names 'platform-lead', and the contacts have nobody of that name.  Add it under 'contacts' in the contacts file.",
    ]);

    /// <summary>Whoever looks for the name into the file finds it there.</summary>
    [Theory]
    [InlineData("from: [oncall, ops-room]", "from: ada", "It is a person's: name a contact that they are behind, or add 'ada: [ada]' under 'contacts' in the contacts file.")]
    [InlineData("from: [oncall, ops-room]", "from: oncall, ops-room", "Write a list: [oncall, ops-room].")]
    public void NameThatIsNoContact_IsToldWhatItIs(string right, string wrong, string remedy)
    {
        string[] names = ["oncall", "ops-room", "platform-lead"];
        var contacts = new KnownContacts(names) { People = new Dictionary<string, IReadOnlyList<string>> { ["oncall"] = ["ada"] } };

        new RunbookReader(s_steps).Read("sample.yaml", Text.Replace(right, wrong, StringComparison.Ordinal), contacts).Errors
            .ShouldHaveSingleItem().Remedy.ShouldBe(remedy);
    }

    /// <summary>The rest is asked at night, every time, and no answer is enough.</summary>
    [Theory]
    [InlineData(2, "ada", "ada", "ada", "needs 2 people, and behind oncall, ops-room, platform-lead, fallback there is only ada.")]
    [InlineData(3, "ada", "Ada,ben", "ada", "needs 3 people, and behind oncall, ops-room, platform-lead, fallback there are only ada, ben.")]
    [InlineData(2, "ada", "ben", "ada", null)]
    [InlineData(2, "ada", "ada", "ben", null)]
    [InlineData(2, "ada", "?", "ada", null)]
    [InlineData(1, "ada", "ada", "ada", null)]
    public void FewerPeopleThanHaveToSayYes_IsAnError(int required, string oncall, string lead, string fallback, string? problem)
    {
        var people = new Dictionary<string, string> { ["oncall"] = oncall, ["ops-room"] = oncall, ["platform-lead"] = lead, ["fallback"] = fallback };
        var contacts = new KnownContacts(people.Keys)
        {
            People = people.Where(one => one.Value != "?").ToDictionary(one => one.Key, IReadOnlyList<string> (one) => one.Value.Split(','), StringComparer.OrdinalIgnoreCase),
        };

        var errors = new RunbookReader(s_steps).Read("sample.yaml", Text.Replace("    ask: Do it?", $"    ask: Do it?\n    required: {required}", StringComparison.Ordinal), contacts).Errors;

        errors.Select(error => error.Problem).ShouldBe(problem is null ? [] : [problem]);
        errors.ShouldAllBe(error => error.Key == "mitigation.approval.required" && error.Line == 9);
    }

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, "needs 2 people, and behind oncall, ops-room, platform-lead, fallback there is only ada.")]
    public void OwnerWhoHasToSayYes_BringsAnother(bool ownerRequired, string? problem)
    {
        string[] names = ["oncall", "ops-room", "platform-lead", "fallback", "ml-team"];
        var contacts = new KnownContacts(names) { People = names.ToDictionary(name => name, IReadOnlyList<string> (name) => [name == "ml-team" ? "ben" : "ada"]) };
        var text = Text.Replace("title: Sample", "title: Sample\nowner: ml-team", StringComparison.Ordinal)
            .Replace("    ask: Do it?", $"    ask: Do it?\n    required: 2\n    ownerRequired: {(ownerRequired ? "true" : "false")}", StringComparison.Ordinal);

        new RunbookReader(s_steps).Read("sample.yaml", text, contacts).Errors.Select(error => error.Problem).ShouldBe(problem is null ? [] : [problem]);
    }

    [Fact]
    public void NobodyBehindThoseWhoAreAsked_IsSaidSo()
    {
        string[] names = ["oncall", "ops-room", "platform-lead", "fallback"];
        var contacts = new KnownContacts(names) { People = names.ToDictionary(name => name, IReadOnlyList<string> (_) => []) };

        new RunbookReader(s_steps).Read("sample.yaml", Text, contacts).Errors.Select(error => error.Problem).ShouldBe(
        [
            "needs 1 person, and behind oncall, ops-room, platform-lead, fallback there is nobody.",
            "needs 1 person, and behind oncall, fallback there is nobody.",
        ]);
    }

    [Fact]
    public void HostThatAsksTheFallbackInstead_TakesTheFile() => new RunbookReader(s_steps).Read("sample.yaml", Text).Errors.ShouldBeEmpty();

    [Theory]
    [InlineData("proceedIfReversible", "teams-room", true)]
    [InlineData("proceedIfReversible", "", false)]
    [InlineData("abort", "teams-room", false)]
    public void SilenceThatNeverCounts_IsAWarning(string onTimeout, string alsoUnheard, bool warns)
    {
        var text = Text.Replace("from: [oncall, ops-room]", $"from: [ops-room]\n    onTimeout: {onTimeout}", StringComparison.Ordinal).Replace("to: [platform-lead] }]\n  steps", "to: [teams-room] }]\n  steps", StringComparison.Ordinal);
        var contacts = new KnownContacts(["oncall", "ops-room", "platform-lead", "teams-room"]) { Unheard = ["ops-room", alsoUnheard] };

        var read = new RunbookReader(s_steps).Read("sample.yaml", text, contacts);

        read.Errors.ShouldBeEmpty();
        read.Warnings.Any(warning => warning.Code == WarningCodes.SilenceUnheard).ShouldBe(warns);
    }

    private static IEnumerable<string> Errors(params string[] contacts) =>
        new RunbookReader(s_steps).Read("sample.yaml", Text, new KnownContacts(contacts)).Errors.Select(error => error.ToString());

    public sealed record Told([property: ContactName] string To, string Text);

    private sealed class Tell() : RunbookAction<Told>("tell", "Tells a contact something.")
    {
        protected override Task<Preparation> PrepareAsync(Told parameters, StepContext context, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override Task<ActionResult> ApplyAsync(Told parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
