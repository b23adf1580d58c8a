using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;
using TestKit;

namespace Runbooks.Integrations.Tests.Azure.AppConfiguration;

public sealed class SetFlagTests : OnTheSandbox
{
    private const string Set = "appConfiguration.setFlag";
    private const string Path = "/appconfiguration/kv/.appconfig.featureflag%2Flocal-model-only?api-version=2023-11-01";
    private static readonly object s_on = new { flag = "local-model-only", create = true };

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?> { ["AppConfiguration:Stores:us:Endpoint"] = $"{SandboxAddress}appconfiguration" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAppConfiguration();

    /// <summary>A step that names no store was approved for the one that the settings named then.</summary>
    [Fact]
    public async Task SameFlagInAnotherStore_IsAnotherStep()
    {
        var approved = (await PrepareAsync(Set, s_on)).Identity;

        approved.ShouldBe("the feature flag local-model-only in App Configuration 'practice': absent");
        (await PrepareAsync(Set, new { flag = "local-model-only", create = true, store = "us" })).Identity.ShouldNotBe(approved);
    }

    private async Task PutAsync(string value) =>
        (await Http.PutAsJsonAsync(
            Path, new { value, content_type = "application/vnd.microsoft.appconfig.ff+json;charset=utf-8", tags = new { owner = "search" } }, Cancel)).EnsureSuccessStatusCode();

    private async Task<string> TagsAsync() => (await Http.GetFromJsonAsync<JsonElement>(Path, Cancel)).GetProperty("tags").GetRawText();

    private async Task<string?> ValueAsync()
    {
        var answer = await Http.GetAsync(Path, Cancel);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("value").GetString() : null;
    }

    /// <summary>The application reads the flag of its stage, so one without a label would change nothing for anybody.</summary>
    [Theory]
    [InlineData(null, "There is no feature flag local-model-only in App Configuration 'practice'. It exists with the label prod, the label staging: say in 'label' which one is meant.")]
    [InlineData("test", "There is no feature flag local-model-only (label test) in App Configuration 'practice'. It exists with the label prod, the label staging: say in 'label' which one is meant.")]
    [InlineData("prod", null)]
    public async Task FlagUnderOtherLabels_IsNotMadeBesideThem(string? label, string? refusal)
    {
        foreach (var other in new[] { "prod", "staging" })
        {
            (await Http.PutAsJsonAsync($"{Path}&label={other}", new { value = "{\"id\":\"local-model-only\",\"enabled\":false}" }, Cancel)).EnsureSuccessStatusCode();
        }

        var preparation = await PrepareAsync(Set, new { flag = "local-model-only", label, create = true });

        preparation.Refusal.ShouldBe(refusal);
        preparation.PlannedEffect.ShouldStartWith($"Switch the feature flag local-model-only{(label is null ? "" : $" (label {label})")} on in ");
    }

    [Fact]
    public async Task FlagThatIsNowhere_IsMadeOnlyWhereTheRunbookSaysSo()
    {
        (await PrepareAsync(Set, new { flag = "local-model-only" })).Refusal.ShouldBe(
            "There is no feature flag local-model-only in App Configuration 'practice'. Make it there, or say 'create: true' where an application reads it under this name.");

        (await PrepareAsync(Set, s_on)).Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task MissingFlag_IsMadeAndRemovedAgain()
    {
        var preparation = await PrepareAsync(Set, s_on);

        var result = await ApplyAsync(Set, s_on, preparation);

        preparation.PlannedEffect.ShouldBe("Switch the feature flag local-model-only on in App Configuration 'practice' (it does not exist yet).");
        preparation.Undo.ShouldBe("Remove the flag again.");
        result.Result.ShouldBe("Switched the feature flag local-model-only on in App Configuration 'practice'.");
        (await ValueAsync()).ShouldBe("{\"id\":\"local-model-only\",\"description\":\"\",\"enabled\":true,\"conditions\":{\"client_filters\":[]}}");
        (await SentAsync())[^1].Body.ShouldBeGolden("make-flag");
        await UndoAsync(Set, preparation);
        (await UndoAsync(Set, preparation)).Result.ShouldContain("as it was before");
        (await ValueAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task ExistingFlag_KeepsItsOtherPartsAndComesBackExactly()
    {
        const string before = "{\"id\":\"local-model-only\",\"description\":\"search stays on\",\"enabled\":false,\"conditions\":{\"client_filters\":[{\"name\":\"x\"}]}}";
        await PutAsync(before);
        var preparation = await PrepareAsync(Set, s_on);

        await ApplyAsync(Set, s_on, preparation);

        preparation.PlannedEffect.ShouldContain("(now off); it has filters");
        (await ValueAsync()).ShouldBe(before.Replace("false", "true"));
        (await SentAsync())[^1].Body.ShouldBeGolden("switch-flag");
        await UndoAsync(Set, preparation);
        (await ValueAsync()).ShouldBe(before);
        (await TagsAsync()).ShouldBe("{\"owner\":\"search\"}");
    }

    [Fact]
    public async Task Preparing_TouchesNothing()
    {
        await PrepareAsync(Set, s_on);

        (await RequestsAsync()).ShouldEach(request => request.StartsWith("GET "));
    }

    [Fact]
    public async Task FlagThatSomebodyChangedMeanwhile_IsNotOverwritten()
    {
        var preparation = await PrepareAsync(Set, s_on);
        await PutAsync("{\"id\":\"local-model-only\",\"enabled\":false}");

        var refused = await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Set, s_on, preparation));

        refused.Message.ShouldContain("changed by somebody else");
        (await ValueAsync()).ShouldBe("{\"id\":\"local-model-only\",\"enabled\":false}");
    }

    [Fact]
    public async Task ChangeBetweenReadAndWrite_IsNotOverwritten()
    {
        var preparation = await PrepareAsync(Set, s_on);
        await FaultAsync("appconfiguration", "412", on: "PUT ");

        (await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Set, s_on, preparation))).Message
            .ShouldEndWith(" was changed by somebody else at this moment. Nothing was written.");

        (await ValueAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task ChangeBetweenReadAndUndo_IsTriedAgain()
    {
        var preparation = await PrepareAsync(Set, s_on);
        await ApplyAsync(Set, s_on, preparation);
        await FaultAsync("appconfiguration", "412", on: "DELETE ");

        (await Should.ThrowAsync<AzureRequestException>(() => UndoAsync(Set, preparation))).Message.ShouldContain("changed by somebody else at this moment");
        await UndoAsync(Set, preparation);

        (await ValueAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task UndoAfterSomebodyElsesChange_LeavesTheirs()
    {
        var preparation = await PrepareAsync(Set, s_on);
        await ApplyAsync(Set, s_on, preparation);
        await PutAsync("{\"id\":\"local-model-only\",\"enabled\":false}");

        await Should.ThrowAsync<StepRefusedException>(() => UndoAsync(Set, preparation));

        (await ValueAsync()).ShouldBe("{\"id\":\"local-model-only\",\"enabled\":false}");
    }

    [Fact]
    public async Task InterruptedAttempt_IsFinishedAndStillGoesBackToTheFirstValue()
    {
        var first = await PrepareAsync(Set, s_on);
        await ApplyAsync(Set, s_on, first);

        var again = await PrepareAsync(Set, s_on, interrupted: first);
        await ApplyAsync(Set, s_on, again, interrupted: first);
        await UndoAsync(Set, again);

        (await ValueAsync()).ShouldBeNull();
        (await RequestsAsync()).Count(request => request.StartsWith("PUT ")).ShouldBe(1);
    }

    [Fact]
    public async Task LockedKey_IsRefusedInWordsBeforeAnybodyIsAsked()
    {
        await PutAsync("{\"id\":\"local-model-only\",\"enabled\":false}");
        var preparation = await PrepareAsync(Set, s_on);
        (await Http.PutAsync(Path.Replace("/kv/", "/locks/"), null, Cancel)).EnsureSuccessStatusCode();

        (await PrepareAsync(Set, s_on)).Refusal.ShouldNotBeNull().ShouldContain("is locked");
        (await PrepareAsync(Set, new { flag = "local-model-only", enabled = false })).Refusal.ShouldBeNull("it is off already");
        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Set, s_on, preparation))).Message.ShouldContain("is locked");
    }

    [Fact]
    public async Task MissingRole_IsNamedWithTheStore()
    {
        await FaultAsync("appconfiguration", "403");

        (await Should.ThrowAsync<StepRefusedException>(() => PrepareAsync(Set, s_on))).Message
            .ShouldStartWith("This identity lacks the role App Configuration Data Owner on App Configuration 'practice'");
    }

    [Theory]
    [InlineData("500", " answered 500 to: ")]
    [InlineData("unreachable", " cannot be reached to ")]
    public async Task OtherFaults_AreForTryingAgain(string fault, string words)
    {
        await FaultAsync("appconfiguration", fault);

        var failed = await Should.ThrowAsync<AzureRequestException>(() => PrepareAsync(Set, s_on));

        failed.IsSilent.ShouldBeTrue();
        failed.Message.ShouldContain(words);
    }

    [Fact]
    public async Task OtherJsonUnderTheKey_IsRefused()
    {
        await PutAsync("[1]");

        (await PrepareAsync(Set, s_on)).Refusal.ShouldNotBeNull().ShouldContain("is not a feature flag");
    }
}
