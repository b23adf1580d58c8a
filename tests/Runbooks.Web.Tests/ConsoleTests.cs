using System.Net;
using System.Text;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Web.Tests;

public sealed class ConsoleTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    [Fact]
    public async Task NothingYet_TellsWhatToTry()
    {
        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync("/", Ct));

        page.ShouldContain("All quiet");
        page.ShouldContain("dotnet run --project src/RunbookServer -- fire hanged-gpu");
    }

    [Fact]
    public async Task WaitingIncidents_StandFirst()
    {
        await _host.OpenAsync(Some.Waiting("261123-0312-waiting0"));
        await _host.OpenAsync(Some.Incident("261123-0313-younger0", "b"));
        await _host.OpenAsync(Some.Incident("261123-0314-ended000", "c") with { State = IncidentState.Resolved });

        var page = await _host.Browser.GetStringAsync("/", Ct);

        page.ShouldContain("1 question waiting for an answer");
        var waiting = page.IndexOf("261123-0312-waiting0", StringComparison.Ordinal);
        var younger = page.IndexOf("261123-0313-younger0", StringComparison.Ordinal);
        waiting.ShouldBeLessThan(younger);
        younger.ShouldBeLessThan(page.IndexOf("261123-0314-ended000", StringComparison.Ordinal));
        (await _host.Browser.GetStringAsync("/?state=final", Ct)).ShouldNotContain("261123-0312-waiting0");
        (await _host.Browser.GetStringAsync("/?state=nonsense&runbook=%3Cb%3E&after=", Ct)).ShouldNotContain("<b>");
        (await _host.Browser.GetStringAsync("/?after=nonsense", Ct)).ShouldContain("261123-0312-waiting0");
    }

    [Fact]
    public async Task AzureResource_IsListedByItsNameWithItsIdAtHand()
    {
        const string machine = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-batch-1";
        await _host.OpenAsync(Some.Incident("261123-0313-machine0", machine));

        foreach (var path in new[] { "/", "/incidents/261123-0313-machine0" })
        {
            (await _host.Browser.GetStringAsync(path, Ct)).ShouldContain($"<span class=\"target\" title=\"{machine}\">vm-batch-1</span>");
        }
    }

    [Fact]
    public async Task Evidence_IsAFileToSaveAndNeverAPage()
    {
        await _host.Evidence.SaveAsync("261123-0312-k7m2p9wd", "llm-b-0.log", new MemoryStream("<script>"u8.ToArray()), Ct);

        var answer = await _host.Browser.GetAsync("/incidents/261123-0312-k7m2p9wd/evidence/llm-b-0.log", Ct);

        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        answer.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldBe("<script>");
    }

    [Theory]
    [InlineData("..%2f..%2fapi-key")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("nothing.log")]
    public async Task EvidenceThatIsNotThere_Is404(string name) =>
        (await _host.Browser.GetAsync($"/incidents/261123-0312-k7m2p9wd/evidence/{name}", Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

    [Fact]
    public async Task Pages_NeedTheKeyOutsideOfPractice()
    {
        await using var closed = new WebHost { OpenPages = false };
        await closed.InitializeAsync();
        (await closed.Browser.GetAsync("/", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"ada:{WebHost.Key}")));
        (await closed.Browser.SendAsync(request, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task PageUnderAForeignHostName_StaysClosed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "rebound.example";

        (await _host.Browser.SendAsync(request, Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task StyleSheet_IsServedUnderTheAddressThatPagesUse()
    {
        var page = await _host.Browser.GetStringAsync("/", Ct);
        var start = page.IndexOf("/assets/runbooks.css", StringComparison.Ordinal);
        var url = page[start..page.IndexOf('"', start)];

        var answer = await _host.Browser.GetAsync(url, Ct);

        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/css");
        answer.Headers.CacheControl!.MaxAge.ShouldBe(TimeSpan.FromDays(365));
        (await _host.Browser.GetAsync("/assets/other.css", Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;
}
