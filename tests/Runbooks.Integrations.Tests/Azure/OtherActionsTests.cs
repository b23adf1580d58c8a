using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

public sealed class OtherActionsTests : OnTheSandbox
{
    private static readonly string s_site = Resource("Microsoft.Web/sites", "assist-web");
    private static readonly string s_app = Resource("Microsoft.App/containerApps", "assist");

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["ArmRequest:AllowedScopes:0"] = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist",
        ["HttpRequest:AllowedHosts:0"] = "127.0.0.1",
        ["HttpRequest:AllowedHosts:1"] = "169.254.169.254",
        ["HttpRequest:AllowedHosts:2"] = "localhost",
        ["HttpRequest:AllowedHosts:3"] = "nowhere.invalid",
        ["HttpRequest:PrivateHosts:0"] = "127.0.0.1",
    };

    protected override IServiceCollection Add(IServiceCollection services) =>
        services.AddAppService().AddContainerApps().AddArmRequest().AddHttpRequest();

    [Fact]
    public async Task Site_IsRestarted()
    {
        var preparation = await PrepareAsync("appService.restart", new { site = s_site });
        var done = await ApplyAsync("appService.restart", new { site = s_site }, preparation);

        preparation.PlannedEffect.ShouldContain("(now Running)");
        // Not synchronous: a restart takes longer than Azure keeps a request open.
        (await RequestsAsync()).ShouldContain($"POST /arm{s_site}/restart?api-version=2025-03-01");
        done.Result.ShouldStartWith("Azure took the request to restart web app ");
    }

    [Fact]
    public async Task SiteThatSomebodyStopped_IsLeftStopped()
    {
        await ChangeAsync(HttpMethod.Patch, s_site, new { properties = new { state = "Stopped" } });

        (await PrepareAsync("appService.restart", new { site = s_site })).Refusal.ShouldNotBeNull().ShouldContain("on purpose");
    }

    [Fact]
    public async Task LatestReadyRevision_IsRestarted()
    {
        var preparation = await PrepareAsync("containerApp.restartRevision", new { app = s_app });
        await ApplyAsync("containerApp.restartRevision", new { app = s_app }, preparation);

        preparation.Identity.ShouldBe("assist--r1");
        (await RequestsAsync()).ShouldContain(request => request.StartsWith($"POST /arm{s_app}/revisions/assist--r1/restart?"));
        (await PrepareAsync("containerApp.restartRevision", new { app = s_app, revision = "assist--r0" })).Refusal.ShouldNotBeNull().ShouldContain("not active");
    }

    [Fact]
    public async Task RevisionThatWasApproved_IsTheOneThatIsRestartedAfterAnInterruption()
    {
        var first = await PrepareAsync("containerApp.restartRevision", new { app = s_app });
        await ChangeAsync(HttpMethod.Patch, s_app, new { properties = new { latestReadyRevisionName = "assist--r2" } });

        var again = await PrepareAsync("containerApp.restartRevision", new { app = s_app }, interrupted: first);
        await ApplyAsync("containerApp.restartRevision", new { app = s_app }, again, interrupted: first);

        (await RequestsAsync()).Where(request => request.StartsWith("POST ", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldStartWith($"POST /arm{s_app}/revisions/assist--r1/restart?");
    }

    [Fact]
    public async Task ArmRequest_StaysWithinItsScopes()
    {
        var inside = new { resource = s_site, apiVersion = "2025-03-01", action = "restart" };
        var outside = new { resource = s_site.Replace("rg-assist", "rg-assistant"), apiVersion = "2025-03-01", action = "restart" };

        var preparation = await PrepareAsync("arm.request", inside);
        (await ApplyAsync("arm.request", inside, preparation)).Result.ShouldBe("web app assist-web answered 200.");

        (await PrepareAsync("arm.request", outside)).Refusal.ShouldNotBeNull().ShouldContain("ArmRequest:AllowedScopes");
    }

    [Fact]
    public async Task ArmRequest_IsUndoneAsTheStepSays()
    {
        var with = new { resource = s_site, apiVersion = "2025-03-01", action = "stop", undo = new { method = "patch", body = new { properties = new { state = "Running" } } } };

        var preparation = await PrepareAsync("arm.request", with);
        preparation.Undo.ShouldBe($"PATCH {s_site} with {{\"properties\":{{\"state\":\"Running\"}}}}.");
        (await UndoAsync("arm.request", preparation)).Result.ShouldBe("web app assist-web answered 200.");

        (await SentAsync())[^1].ShouldSatisfyAllConditions(
            sent => sent.Request.ShouldStartWith($"PATCH /arm{s_site}?api-version=2025-03-01"),
            sent => sent.Body.GetProperty("properties").GetProperty("state").GetString().ShouldBe("Running"));
        Action("arm.request").ReversalOf(JsonSerializer.SerializeToElement(with)).ShouldBe(Reversal.Undone);
        Action("arm.request").ReversalOf(JsonSerializer.SerializeToElement(new { resource = s_site })).ShouldBe(Reversal.None);
    }

    [Fact]
    public async Task HttpRequest_IsUndoneAsTheStepSays()
    {
        var with = new { url = $"{SandboxAddress}provider/_outage", body = new { down = false }, undo = new { url = $"{SandboxAddress}provider/_outage?key=secret", body = new { down = true } } };

        var preparation = await PrepareAsync("http.request", with);
        preparation.Undo.ShouldBe($"POST {SandboxAddress}provider/_outage?… with {{\"down\":true}}.");
        (await UndoAsync("http.request", preparation)).Result.ShouldEndWith("/provider/_outage?… answered 204.");

        (await SentAsync())[^1].Body.GetProperty("down").GetBoolean().ShouldBeTrue();
    }

    /// <summary>A storm: twenty incidents call a hook that lets ten a minute in.</summary>
    [Theory]
    [InlineData("429", true)]
    [InlineData("409", false)]
    public async Task HookThatHasTooMuchToDo_IsCalledAgainLater(string status, bool again)
    {
        await FaultAsync("provider", status);
        var failure = await Should.ThrowAsync<Exception>(() => RunAsync("http.request", new { url = $"{SandboxAddress}provider/hook" }));

        (failure is AttemptFailedException { NothingDone: true, IsBusy: false }).ShouldBe(again, failure.Message);
        (failure is StepRefusedException).ShouldBe(!again);
    }

    /// <summary>502 and 504 are a gateway's words about an answer that it did not get, and the hook may have done its work.</summary>
    [Theory]
    [InlineData("408")]
    [InlineData("500")]
    [InlineData("502")]
    [InlineData("504")]
    public async Task HookThatMayHaveDoneItsWork_IsNotCalledAFailure(string status)
    {
        await FaultAsync("provider", status);

        var unknown = await Should.ThrowAsync<AttemptFailedException>(() => RunAsync("http.request", new { url = $"{SandboxAddress}provider/hook" }));

        (unknown.NothingDone, unknown.IsBusy).ShouldBe((false, false));
        unknown.Message.ShouldEndWith($"/provider/hook answered {status}, which does not say whether it was carried out.");
    }

    [Fact]
    public void HttpUndoOnAnotherHost_IsAnError() => ParameterBinder
        .Bind(JsonSerializer.SerializeToNode(new { url = "https://one.example/a", undo = new { url = "https://two.example/a" } })!.AsObject(), Action("http.request").ParametersType)
        .Errors.ShouldHaveSingleItem().ToString().ShouldBe("undo.url: has to be on the same host as 'url', not on https://two.example.");

    [Fact]
    public async Task HttpRequest_GoesOnlyWhereItMay()
    {
        var allowed = new { url = $"{SandboxAddress}provider/_outage?key=secret", body = new { down = false } };
        var preparation = await PrepareAsync("http.request", allowed);

        (await ApplyAsync("http.request", allowed, preparation)).Result.ShouldEndWith("/provider/_outage?… answered 204.");

        preparation.PlannedEffect.ShouldNotContain("secret");
        (await PrepareAsync("http.request", new { url = "https://elsewhere.example/hook" })).Refusal.ShouldNotBeNull().ShouldContain("HttpRequest:AllowedHosts");
    }

    /// <summary>What people read of a step is cut at its end: nothing that an alert fills in may push out what is done there, and with what.</summary>
    [Fact]
    public async Task LongAddress_LeavesRoomForWhatIsDone()
    {
        var part = new string('a', 900);

        (await PrepareAsync("http.request", new { url = $"https://elsewhere.example/jobs/{part}/cancel?all=true", body = new { to = "b&ü" } })).PlannedEffect
            .ShouldMatch(@"^POST https://elsewhere.example/jobs/a{50,}…a{50,}/cancel\?… with {""to"":""b&ü""}\.$");
        (await PrepareAsync("arm.request", new { resource = $"{s_site.Replace("rg-assist", "rg-other")}{part}", apiVersion = "2025-03-01", action = "stop", body = new { all = true } })).PlannedEffect
            .ShouldMatch(@"^POST /subscriptions/.*…a+/stop with {""all"":true}\.$");
    }

    [Fact]
    public async Task MetadataAddress_IsRefusedEvenWhereTheHostIsAllowed()
    {
        var with = new { url = "http://169.254.169.254/metadata/identity" };

        var refused = await Should.ThrowAsync<StepRefusedException>(() => RunAsync("http.request", with));
        refused.Message.ShouldEndWith("is a private, link-local or metadata address. Add it to HttpRequest:PrivateHosts if it is meant.");
        refused.NothingDone.ShouldBeTrue();
    }

    /// <summary>Nobody is asked for a yes to a call that would be refused.</summary>
    [Theory]
    [InlineData("http://169.254.169.254/metadata/identity", true)]
    [InlineData("http://localhost:8080/hook", true)]
    [InlineData("http://nowhere.invalid/hook", false)]
    public async Task PrivateAddress_IsRefusedBeforeAnybodyIsAsked(string url, bool refused)
    {
        var refusal = (await PrepareAsync("http.request", new { url })).Refusal;

        (refusal?.EndsWith("is a private, link-local or metadata address. Add it to HttpRequest:PrivateHosts if it is meant.", StringComparison.Ordinal))
            .ShouldBe(refused ? true : null);
    }
}
